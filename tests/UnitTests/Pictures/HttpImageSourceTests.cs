using System.Net;
using System.Text;
using System.Text.Json;
using XComposer2.Native.Composition.Pictures;
using Xunit;

namespace XComposer2.Native.UnitTests;

public class HttpImageSourceTests
{
    private static readonly byte[] Red = TestPicture.Png(250, 10, 10);
    private static readonly byte[] Green = TestPicture.Png(10, 250, 10);

    [Fact]
    public async Task Protocol_matches_the_original()
    {
        await using LoopbackService service = Service(
            host => $$$"""{"data": {"image_urls": ["/relative.png", "http://{{{host}}}/7.png", "http://{{{host}}}/a%2Fb%20c.jpg"], "indices": [6, 7, 8]}}""",
            path => LoopbackService.Reply(path == "/7.png" ? Red : Green));
        using HttpImageSource source = Source(service);
        ImageQuery query = new("  " + string.Concat(Enumerable.Repeat("𠀀红", 30)) + "  ", 4) { ExcludedIds = new HashSet<string> { "12", "3", "picture.png" } };
        IReadOnlyList<ImageCandidate> found = await source.SearchAsync(query, TestContext.Current.CancellationToken);
        using JsonDocument asked = JsonDocument.Parse(service.Requests[0].Split('\n')[1]);
        Assert.Equal(["caption", "exclude", "need_idxs"], asked.RootElement.EnumerateObject().Select(part => part.Name));
        Assert.Equal(string.Concat(Enumerable.Repeat("𠀀红", 26)) + "𠀀", asked.RootElement.GetProperty("caption").GetString());
        Assert.Equal([12, 3], asked.RootElement.GetProperty("exclude").EnumerateArray().Select(id => id.GetInt32()));
        Assert.True(asked.RootElement.GetProperty("need_idxs").GetBoolean());
        Assert.Equal(["7 7.png", "8 b c.jpg"], found.Select(candidate => $"{candidate.Id} {candidate.Name}"));
        Assert.Equal(Red, found[0].Bytes.ToArray());
        Assert.Null(found[0].Caption);
    }

    [Fact]
    public async Task Decoding_stops_at_the_timeout_of_the_search()
    {
        byte[] large = ImageCostTests.GrayJpeg(16_000, 16_000);
        List<string> notes = [];
        await using LoopbackService service = Service(host => Urls(host, "/1.jpg", "/2.jpg", "/3.jpg", "/4.jpg"), _ => LoopbackService.Reply(large));
        using HttpImageSource source = new(Options(service) with { Timeout = TimeSpan.FromMilliseconds(400), Note = note => { lock (notes) notes.Add(note); } });
        long start = System.Diagnostics.Stopwatch.GetTimestamp();
        Assert.Empty(await source.SearchAsync(new ImageQuery("red", 4), TestContext.Current.CancellationToken));
        Assert.InRange(System.Diagnostics.Stopwatch.GetElapsedTime(start).TotalSeconds, 0, 10);
        Assert.Equal(4, notes.Count);
        Assert.All(notes, note => Assert.EndsWith("download timed out", note, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Trickling_services_end_at_the_timeout()
    {
        TimeSpan limit = TimeSpan.FromMilliseconds(400);
        await using LoopbackService service = new((_, _) => LoopbackService.Reply("{\"data\": {}}")) { Pause = TimeSpan.FromMilliseconds(50) };
        long start = System.Diagnostics.Stopwatch.GetTimestamp();
        using (HttpImageSource source = new(Options(service) with { Timeout = limit }))
            await Assert.ThrowsAsync<ImageSourceException>(async () => await source.SearchAsync(new ImageQuery("red", 4), TestContext.Current.CancellationToken));
        ImageSourceException error = await Assert.ThrowsAsync<ImageSourceException>(() => PictureDownload.FetchAsync(
            service.Address.ToString(), new PictureDownloadOptions { AllowPrivateAddresses = true, Timeout = limit }, TestContext.Current.CancellationToken));
        Assert.Equal("not loaded within 0.4 s", error.Message);
        Assert.InRange(System.Diagnostics.Stopwatch.GetElapsedTime(start).TotalSeconds, 0, 4);
    }

    [Fact]
    public async Task Failed_pictures_are_skipped_with_a_note_and_replaced_by_the_next()
    {
        List<string> notes = [];
        await using LoopbackService service = Service(
            host => Urls(host, "/gone", "/text", "/large", "/endless", "/packed", "/1.png", "/2.png", "/3.png"),
            path => path switch
            {
                "/gone" => LoopbackService.Reply([], status: "404 Not Found"),
                "/text" => LoopbackService.Reply("<svg onload=alert(1)>"),
                "/large" => LoopbackService.Reply(new byte[70_000]),
                "/endless" => Encoding.ASCII.GetBytes("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + new string('x', 70_000)),
                "/packed" => LoopbackService.Reply(Red, "Content-Encoding: gzip\r\n"),
                _ => LoopbackService.Reply(Red),
            });
        HttpImageSourceOptions options = Options(service) with { Note = note => { lock (notes) notes.Add(note); } };
        using HttpImageSource source = new(options with { Limits = options.Limits with { MaxFileBytes = 65_000 } });
        IReadOnlyList<ImageCandidate> found = await source.SearchAsync(new ImageQuery("red", 2), TestContext.Current.CancellationToken);
        Assert.Equal(["5", "6"], found.Select(candidate => candidate.Id));
        notes.Sort(StringComparer.Ordinal);
        Assert.Collection(notes,
            note => Assert.Contains("404", note, StringComparison.Ordinal),
            note => Assert.Contains("which is not read", note, StringComparison.Ordinal),
            note => Assert.Contains("70000 bytes, the limit is 65000", note, StringComparison.Ordinal),
            note => Assert.Contains("exceeds the limit of 65000 bytes", note, StringComparison.Ordinal),
            note => Assert.Contains("compressed", note, StringComparison.Ordinal));
        Assert.DoesNotContain(service.Requests, request => request.StartsWith("GET /3.png", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Hosts_not_on_the_list_are_never_contacted()
    {
        await using LoopbackService other = Service(_ => "{}", _ => LoopbackService.Reply(Red));
        List<string> notes = [];
        await using LoopbackService service = Service(
            host => $$$"""{"image_urls": ["http://{{{other.Authority}}}/1.png", "http://{{{host}}}/away", "http://{{{host}}}/loop", "http://{{{host}}}/near", "file:///etc/passwd", "http://u:p@{{{host}}}/x", "https://{{{host}}}/x"], "indices": [0, 1, 2, 3, 4, 5, 6]}""",
            path => path switch
            {
                "/away" => LoopbackService.Redirect($"http://{other.Authority}/1.png"),
                "/loop" => LoopbackService.Redirect("/loop"),
                "/near" => LoopbackService.Redirect("/2.png", "307 Temporary Redirect"),
                _ => LoopbackService.Reply(Red),
            });
        using HttpImageSource source = new(Options(service) with { Note = note => { lock (notes) notes.Add(note); } });
        IReadOnlyList<ImageCandidate> found = await source.SearchAsync(new ImageQuery("red", 7), TestContext.Current.CancellationToken);
        Assert.Equal("3", Assert.Single(found).Id);
        Assert.Empty(other.Requests);
        Assert.Equal(6, notes.Count);
        Assert.Equal(2, notes.Count(note => note.Contains("list of allowed hosts", StringComparison.Ordinal)));
        Assert.Single(notes, note => note.Contains("more than 3 redirects", StringComparison.Ordinal));
        Assert.Single(notes, note => note.Contains("names and passwords", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("no json", "invalid")]
    [InlineData("[]", "image_urls and indices")]
    [InlineData("{\"data\": 5}", "image_urls and indices")]
    [InlineData("{\"image_urls\": [\"a\"], \"indices\": []}", "1 image_urls and 0 indices")]
    [InlineData("{\"data\": null}", "image_urls and indices")]
    public async Task Invalid_reply_is_an_error_that_names_the_service(string reply, string reason)
    {
        await using LoopbackService service = Service(_ => reply, _ => []);
        using HttpImageSource source = Source(service);
        ImageSourceException error = await Refused(source);
        Assert.StartsWith($"http://{service.Authority}/image/similar: ", error.Message, StringComparison.Ordinal);
        Assert.Contains(reason, error.Message, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task Invalid_entries_are_skipped()
    {
        await using LoopbackService service = Service(
            host => $$$"""{"image_urls": [5, "\ud800", "no address", "http://{{{host}}}/1.png", "http://{{{host}}}/1.png", "http://{{{host}}}/1.png", "http://{{{host}}}/1.png"], "indices": [1, 2, 3, "4", 5.5, 6, 6]}""",
            _ => LoopbackService.Reply(Red));
        using HttpImageSource source = Source(service);
        Assert.Equal("6", Assert.Single(await source.SearchAsync(new ImageQuery("red", 4), TestContext.Current.CancellationToken)).Id);
    }

    [Fact]
    public async Task Errors_timeouts_and_oversized_replies_end_the_search_with_one_message()
    {
        await using LoopbackService failing = new((_, _) => LoopbackService.Reply([], status: "503 Busy"));
        using (HttpImageSource source = Source(failing))
            Assert.Contains("503", (await Refused(source)).Message, StringComparison.Ordinal);
        await using LoopbackService moved = new((_, _) => LoopbackService.Redirect("/elsewhere"));
        using (HttpImageSource source = Source(moved))
            Assert.Contains("302", (await Refused(source)).Message, StringComparison.Ordinal);
        await using LoopbackService flooding = new((_, _) => LoopbackService.Reply(new byte[2_000_000]));
        using (HttpImageSource source = Source(flooding))
            Assert.Contains("limit", (await Refused(source)).Message, StringComparison.Ordinal);
        await using LoopbackService silent = new((_, _) => []);
        using (HttpImageSource source = new(Options(silent) with { Timeout = TimeSpan.FromMilliseconds(200) }))
            Assert.Contains("within 0.2 s", (await Refused(source)).Message, StringComparison.Ordinal);
        using (HttpImageSource source = Source(silent))
        {
            using CancellationTokenSource stop = new(TimeSpan.FromMilliseconds(100));
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => source.SearchAsync(new ImageQuery("red", 4), stop.Token).AsTask());
        }
    }

    [Fact]
    public async Task Pictures_loaded_before_the_timeout_are_kept()
    {
        await using LoopbackService service = Service(host => Urls(host, "/1.png", "/silent"), path => path == "/silent" ? [] : LoopbackService.Reply(Red));
        List<string> notes = [];
        using HttpImageSource source = new(Options(service) with { Timeout = TimeSpan.FromSeconds(2), Note = notes.Add });
        Assert.Equal("0", Assert.Single(await source.SearchAsync(new ImageQuery("red", 2), TestContext.Current.CancellationToken)).Id);
        Assert.Contains("download timed out", Assert.Single(notes), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Local_addresses_require_permission()
    {
        await using LoopbackService service = Service(host => Urls(host, "/1.png"), _ => LoopbackService.Reply(Red));
        using HttpImageSource source = new(Options(service) with { AllowPrivateAddresses = false });
        Assert.Contains("private address", (await Refused(source)).Message, StringComparison.Ordinal);
        using HttpImageSource secured = new(Options(service) with { Endpoint = new Uri($"https://{service.Authority}/"), AllowPrivateAddresses = false });
        Assert.Contains("private address", (await Refused(secured)).Message, StringComparison.Ordinal);
        Assert.Empty(service.Requests);
    }

    [Theory]
    [InlineData("https://images.example.org/similar", "images.example.org", null)]
    [InlineData("https://IMAGES.example.org/similar", "images.EXAMPLE.org", null)]
    [InlineData("https://images.example.org:8443/similar", "images.example.org:8443", null)]
    [InlineData("https://images.example.org:8443/similar", "images.example.org", "not on the list")]
    [InlineData("https://images.example.org/similar", "example.org", "not on the list")]
    [InlineData("https://images.example.org./similar", "images.example.org", "not on the list")]
    [InlineData("http://images.example.org/similar", "images.example.org", "expected https")]
    [InlineData("ftp://images.example.org/similar", "images.example.org", "expected https")]
    [InlineData("https://user@images.example.org/similar", "images.example.org", "names and passwords")]
    [InlineData("https://images.example.org/", "*.example.org", "expected a host name")]
    [InlineData("https://images.example.org/", "https://images.example.org", "expected a host name")]
    [InlineData("https://images.example.org/", "images.example.org/path", "expected a host name")]
    [InlineData("https://images.example.org/", "user@images.example.org", "expected a host name")]
    [InlineData("https://images.example.org/", "", "expected a host name")]
    [InlineData("http://[::1]:8080/", "[::1]:8080", null)]
    public void Allowed_hosts_are_exact_names(string endpoint, string host, string? refusal)
    {
        HttpImageSourceOptions options = new() { Endpoint = new Uri(endpoint), AllowedHosts = [host] };
        if (refusal is null)
            new HttpImageSource(options).Dispose();
        else
            Assert.Contains(refusal, Assert.Throws<ImageSourceException>(() => new HttpImageSource(options)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("8.8.8.8", true)]
    [InlineData("127.0.0.1", false)]
    [InlineData("10.1.2.3", false)]
    [InlineData("172.16.0.1", false)]
    [InlineData("172.32.0.1", true)]
    [InlineData("192.168.1.1", false)]
    [InlineData("169.254.169.254", false)]
    [InlineData("100.64.0.1", false)]
    [InlineData("0.0.0.0", false)]
    [InlineData("224.0.0.1", false)]
    [InlineData("255.255.255.255", false)]
    [InlineData("::1", false)]
    [InlineData("::", false)]
    [InlineData("::ffff:10.0.0.1", false)]
    [InlineData("::ffff:8.8.8.8", true)]
    [InlineData("fd00::1", false)]
    [InlineData("fe80::1", false)]
    [InlineData("fec0::1", false)]
    [InlineData("ff02::1", false)]
    [InlineData("2001:db8::1", false)]
    [InlineData("2001:0:1::1", false)]
    [InlineData("2606:4700::1111", true)]
    [InlineData("64:ff9b::8.8.8.8", true)]
    [InlineData("64:ff9b::192.168.0.1", false)]
    [InlineData("2002:0a00:0001::", false)]
    [InlineData("2002:0808:0808::", true)]
    public void Private_and_special_addresses_are_recognised(string address, bool isPublic) => Assert.Equal(isPublic, PublicAddress.Is(IPAddress.Parse(address)));

    private static LoopbackService Service(Func<string, string> reply, Func<string, byte[]> file)
    {
        LoopbackService? service = null;
        service = new LoopbackService((line, _) => line.StartsWith("POST ", StringComparison.Ordinal) ? LoopbackService.Reply(reply(service!.Authority)) : file(line.Split(' ')[1]));
        return service;
    }

    private static string Urls(string host, params string[] paths) =>
        $$"""{"image_urls": [{{string.Join(", ", paths.Select(path => $"\"http://{host}{path}\""))}}], "indices": [{{string.Join(", ", Enumerable.Range(0, paths.Length))}}]}""";

    private static HttpImageSourceOptions Options(LoopbackService service) => new() { Endpoint = service.Address, AllowedHosts = [service.Authority], AllowPrivateAddresses = true };

    private static HttpImageSource Source(LoopbackService service) => new(Options(service));

    private static Task<ImageSourceException> Refused(HttpImageSource source) =>
        Assert.ThrowsAsync<ImageSourceException>(() => source.SearchAsync(new ImageQuery("red", 4), TestContext.Current.CancellationToken).AsTask());
}
