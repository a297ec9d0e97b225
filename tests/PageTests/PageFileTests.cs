using System.Net;
using System.Security.Cryptography;
using System.Text.RegularExpressions;
using XComposer2.Native.UnitTests;
using Xunit;

namespace XComposer2.Native.PageTests;

/// <summary>The files of the page: how they are served, their texts, and libraries as they were published.</summary>
public sealed partial class PageFileTests(PageHost host)
{
    private static string Folder => TestPaths.Repository("src/XComposer2.Native.Server/Page/web");

    [Fact]
    public async Task Page_needs_no_key_and_is_protected_by_its_headers()
    {
        using var http = new HttpClient { BaseAddress = new Uri(host.Address) };
        using HttpResponseMessage page = await http.GetAsync(new Uri("/", UriKind.Relative), TestContext.Current.CancellationToken);
        Assert.Equal((HttpStatusCode.OK, "text/html"), (page.StatusCode, page.Content.Headers.ContentType!.MediaType));
        string policy = Assert.Single(page.Headers.GetValues("Content-Security-Policy"));
        Assert.StartsWith("default-src 'none';", policy, StringComparison.Ordinal);
        Assert.DoesNotContain("unsafe", policy, StringComparison.Ordinal);
        Assert.Equal("nosniff", Assert.Single(page.Headers.GetValues("X-Content-Type-Options")));
        using var again = new HttpRequestMessage(HttpMethod.Get, "/") { Headers = { IfNoneMatch = { page.Headers.ETag! } } };
        using HttpResponseMessage unchanged = await http.SendAsync(again, TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.NotModified, unchanged.StatusCode);
    }

    [Theory]
    [InlineData("page/app.js", "text/javascript")]
    [InlineData("page/vendor/purify.es.mjs", "text/javascript")]
    [InlineData("page/style/base.css", "text/css")]
    [InlineData("page/icon.svg", "image/svg+xml")]
    public async Task Files_have_their_media_type(string path, string mediaType)
    {
        using var http = new HttpClient { BaseAddress = new Uri(host.Address) };
        using HttpResponseMessage file = await http.GetAsync(new Uri(path, UriKind.Relative), TestContext.Current.CancellationToken);
        Assert.Equal((HttpStatusCode.OK, mediaType), (file.StatusCode, file.Content.Headers.ContentType!.MediaType));
    }

    [Theory]
    [InlineData("page/")]
    [InlineData("page/nothing.js")]
    [InlineData("page/../XComposerServer.cs")]
    [InlineData("page/README.md")]
    [InlineData("nothing")]
    public async Task Other_paths_are_not_found(string path)
    {
        using var http = new HttpClient { BaseAddress = new Uri(host.Address) };
        using HttpResponseMessage file = await http.GetAsync(new Uri(path, UriKind.Relative), TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.NotFound, file.StatusCode);
    }

    [Fact]
    public void Libraries_are_those_of_their_readme()
    {
        string readme = File.ReadAllText(Path.Combine(Folder, "vendor", "README.md"));
        string[] files = [.. Directory.GetFiles(Path.Combine(Folder, "vendor")).Where(path => !path.EndsWith(".md", StringComparison.Ordinal))];
        Assert.Equal(4, files.Length);
        Assert.All(files, path => Assert.Matches($@"\| `{Regex.Escape(Path.GetFileName(path))}` \| \S+ \| [0-9.]+ \| .*`{Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(path)))}` \|", readme));
    }

    [Fact]
    public void Both_languages_have_the_same_texts_with_the_same_values()
    {
        Dictionary<string, string> english = Texts("en.js"), chinese = Texts("zh.js");
        Assert.Equal(english.Keys.Order(StringComparer.Ordinal), chinese.Keys.Order(StringComparer.Ordinal));
        Assert.All(english, text => Assert.Equal(Values(text.Value), Values(chinese[text.Key])));

        static IEnumerable<string> Values(string text) => Value().Matches(text).Select(match => match.Value).Order(StringComparer.Ordinal);
    }

    [Fact]
    public void Every_text_is_used_and_every_used_text_exists()
    {
        string source = string.Concat(Sources().Where(path => !path.Contains("texts", StringComparison.Ordinal)).Select(File.ReadAllText));
        HashSet<string> keys = [.. Texts("en.js").Keys];
        string[] families = [.. Family().Matches(source).Select(match => match.Groups[1].Value)];
        string[] used = [.. Key().Matches(source).Select(match => match.Groups["key"].Value).Where(key => !key.EndsWith('.'))];
        Assert.DoesNotContain(used, key => !keys.Contains(key));
        Assert.DoesNotContain(keys, key => !source.Contains($"'{key}'", StringComparison.Ordinal) && !source.Contains($"\"{key}\"", StringComparison.Ordinal)
            && !families.Any(family => key.StartsWith(family, StringComparison.Ordinal)));
    }

    [Fact]
    public void Files_are_short_enough_to_read_at_once() => Assert.All(Sources(), path => Assert.InRange(File.ReadLines(path).Count(), 1, 300));

    [Fact]
    public void Script_files_begin_with_what_they_do() => Assert.All(Sources().Where(path => path.EndsWith(".js", StringComparison.Ordinal)), path => Assert.StartsWith("// ", File.ReadLines(path).First(), StringComparison.Ordinal));

    private static IEnumerable<string> Sources() => Directory.EnumerateFiles(Folder, "*", SearchOption.AllDirectories)
        .Where(path => Path.GetExtension(path) is ".js" or ".css" or ".html" && !path.Contains("vendor", StringComparison.Ordinal));

    private static Dictionary<string, string> Texts(string file) => Text().Matches(File.ReadAllText(Path.Combine(Folder, "texts", file))).ToDictionary(match => match.Groups["key"].Value, match => match.Groups["text"].Value);

    [GeneratedRegex(@"^  (?:'(?<key>[^']+)'|(?<key>\w+)): '(?<text>.*)',$", RegexOptions.Multiline)]
    private static partial Regex Text();

    [GeneratedRegex(@"\{\w+\}")]
    private static partial Regex Value();

    [GeneratedRegex(@"(?:\bt\(|\bt: |tLabel: |tPlaceholder: |setLabel\([^,]+, )'(?<key>[\w.-]+)'|data-t(?:-label|-placeholder)?=""(?<key>[\w.-]+)""")]
    private static partial Regex Key();

    [GeneratedRegex(@"`(\w+\.)\$\{")]
    private static partial Regex Family();
}
