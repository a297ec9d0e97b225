using System.Diagnostics;
using System.Text;
using Xunit;
using XComposer2.Native.Cli;
using XComposer2.Native.Composition;
using XComposer2.Native.Model;

namespace XComposer2.Native.UnitTests;

/// <summary>Arguments of <c>--image</c> and <c>/image</c>.</summary>
public sealed class PictureArgumentTests : IDisposable
{
    private readonly string root = Directory.CreateTempSubdirectory("xc2-picture-").FullName;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private static string Picture => TestPaths.Repository("tools/demo/pictures/shapes-1.png");

    public void Dispose()
    {
        // The base library cannot delete files whose names are not UTF-8.
        if (OperatingSystem.IsLinux()) ProcessResult.Of(new ProcessStartInfo("rm", ["-rf", root]));
        else Directory.Delete(root, recursive: true);
    }

    [Theory]
    [InlineData("my pics/a b(1).png", "my\\ pics/a\\ b\\(1\\).png")]
    [InlineData("a'b&c.png", "a\\'b\\&c.png")]
    [InlineData("back\\slash.png", "back\\slash.png")]
    public void Path_is_read_literally_or_without_terminal_backslashes(string file, string typed)
    {
        if (OperatingSystem.IsWindows()) Assert.Skip("backslashes separate folders on Windows");
        Copy(file);
        Assert.Equal(File.ReadAllBytes(Picture), PictureFile.Read(Path.Combine(root, typed), Cancellation));
    }

    [Fact]
    public void File_address_is_a_path()
    {
        Copy("a b%.png");
        byte[] expected = File.ReadAllBytes(Picture);
        Assert.Equal(expected, PictureFile.Read($"file://{root}/a%20b%25.png", Cancellation));
        Assert.Equal(expected, PictureFile.Read($"file://localhost{root}/a%20b%25.png", Cancellation));
        Assert.Contains("on this machine", Assert.Throws<ImageException>(() => PictureFile.Read("file://elsewhere/a.png", Cancellation)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Tilde_is_the_home_folder()
    {
        string home = Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);
        string file = Path.Combine(home, $".xc2-test-{Guid.NewGuid():N}.png");
        if (!Directory.Exists(home)) Assert.Skip("no home folder");
        try
        {
            File.Copy(Picture, file);
            Assert.Equal(File.ReadAllBytes(Picture), PictureFile.Read($"~/{Path.GetFileName(file)}", Cancellation));
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Fact]
    public void Name_that_is_not_utf8_is_found_in_the_raw_arguments()
    {
        byte[] name = [.. "pics/"u8, 0xBA, 0xEC, .. ".png"u8];
        string decoded = Encoding.UTF8.GetString(name);
        byte[] commandLine = [.. "xc2\0chat\0--image\0"u8, .. name, 0, .. "--image="u8, .. name, 0xFF, 0];
        Assert.Equal(name, RawArguments.Find(decoded, commandLine));
        Assert.Equal(name, RawArguments.Find(decoded.Replace("\uFFFD\uFFFD", "\uFFFD", StringComparison.Ordinal), commandLine));
        Assert.Equal([.. name, 0xFF], RawArguments.Find(decoded + "\uFFFD", commandLine)!);
        Assert.Null(RawArguments.Find("other\uFFFD.png", commandLine));
    }

    [Fact]
    public void File_is_read_by_the_bytes_of_its_name()
    {
        if (!OperatingSystem.IsLinux()) Assert.Skip("file names are bytes only on Linux");
        string script = $"cp '{Picture}' '{root}/'$'\\xba\\xec.png'";
        Assert.Equal(0, ProcessResult.Of(new ProcessStartInfo("bash", ["-c", script])).ExitCode);
        byte[] path = [.. Encoding.UTF8.GetBytes(root + "/"), 0xBA, 0xEC, .. ".png"u8];
        Assert.Equal(File.ReadAllBytes(Picture), UnixFile.Read(path, "name", ImageLimits.Default, Cancellation));
    }

    [Fact]
    public async Task Pipe_is_read_and_a_pipe_without_a_writer_times_out()
    {
        if (OperatingSystem.IsWindows()) Assert.Skip("Windows has no named pipes in folders");
        string pipe = Path.Combine(root, "pipe");
        Assert.Equal(0, ProcessResult.Of(new ProcessStartInfo("mkfifo", [pipe])).ExitCode);
        Task<byte[]> reading = Task.Run(() => PictureFile.Read(pipe, Cancellation), Cancellation);
        await Task.Delay(200, Cancellation);
        await File.WriteAllBytesAsync(pipe, await File.ReadAllBytesAsync(Picture, Cancellation), Cancellation);
        Assert.Equal(await File.ReadAllBytesAsync(Picture, Cancellation), await reading);
        Assert.Contains("nothing was written into it within 3 s", Assert.Throws<ImageException>(() => PictureFile.Read(pipe, Cancellation)).Message, StringComparison.Ordinal);
        using CancellationTokenSource stop = new(100);
        Assert.ThrowsAny<OperationCanceledException>(() => PictureFile.Read(pipe, stop.Token));
    }

    [Fact]
    public void Device_is_read_up_to_the_limit()
    {
        if (!Path.Exists("/dev/zero")) Assert.Skip("/dev/zero does not exist");
        Assert.Contains("has more than", Assert.Throws<ImageException>(() => PictureFile.Read("/dev/zero", Cancellation)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("chat", "hi")]
    [InlineData("compose", "--instruction", "x")]
    [InlineData("edit", "--section", "1", "--op", "replace-figure", "--caption", "c")]
    public async Task Pipes_and_devices_are_rejected_before_a_model_is_loaded(params string[] args)
    {
        if (!Path.Exists("/dev/zero")) Assert.Skip("/dev/zero does not exist");
        string pipe = Path.Combine(root, "pipe"), article = Path.Combine(root, "article");
        Assert.Equal(0, ProcessResult.Of(new ProcessStartInfo("mkfifo", [pipe])).ExitCode);
        ArticleFolder.Create(article, ArticleHistory.Begin(CompositionPictures.Article("one")), []);
        string[] place = args[0] switch { "compose" => ["--out", Path.Combine(root, "out")], "edit" => ["--article", article], _ => [] };
        foreach ((string file, string found) in new[] { (pipe, "nothing was written into it within 3 s"), ("/dev/zero", "has more than 268435456 bytes, the limit") })
        {
            using CliHarness xc2 = new();
            Assert.Equal(ExitCode.Failed, await xc2.RunAsync([.. args, .. place, "--image", file]));
            Assert.Contains(found, xc2.Error, StringComparison.Ordinal);
            Assert.Null(xc2.LoadedWith);
        }
    }

    [Fact]
    public async Task Picture_is_read_from_standard_input()
    {
        using CliHarness xc2 = new() { InputBytes = await File.ReadAllBytesAsync(Picture, Cancellation) };
        Assert.Equal(ExitCode.Done, await xc2.RunAsync("chat", "--image", "-", "what is this?"));
        Assert.Equal("standard input", Assert.Single(xc2.Client.History[0].Question.Images).Name);
        using CliHarness twice = new();
        Assert.Equal(ExitCode.Usage, await twice.RunAsync("chat", "--image", "-", "-"));
        Assert.Contains("both standard input", twice.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(new string[0], ExifOrientation.Apply)]
    [InlineData(new[] { "--exif", "apply" }, ExifOrientation.Apply)]
    [InlineData(new[] { "--exif", "ignore" }, ExifOrientation.Ignore)]
    public async Task Orientation_option_reaches_the_picture(string[] options, ExifOrientation expected)
    {
        using CliHarness xc2 = new();
        Assert.Equal(ExitCode.Done, await xc2.RunAsync(["chat", "--image", Picture, .. options, "what is this?"]));
        Assert.Equal(expected, Assert.Single(xc2.Client.History[0].Question.Images).Orientation);
    }

    [Fact]
    public async Task Picture_download_is_guarded()
    {
        byte[] picture = await File.ReadAllBytesAsync(Picture, Cancellation);
        await using LoopbackService service = new((_, _) => LoopbackService.Reply(picture));
        string address = $"http://{service.Authority}/cat.png";
        using CliHarness refused = new();
        Assert.Equal(ExitCode.Failed, await refused.RunAsync("chat", "--image", address, "hi"));
        Assert.Contains($"{address}: cannot be downloaded: ", refused.Error, StringComparison.Ordinal);
        Assert.Contains("private address", refused.Error, StringComparison.Ordinal);
        Assert.Null(refused.LoadedWith);
        Assert.Empty(service.Requests);

        using CliHarness allowed = new();
        Assert.Equal(ExitCode.Done, await allowed.RunAsync("chat", "--allow-private", "--image", address, "hi"));
        Assert.Equal(address, Assert.Single(allowed.Client.History[0].Question.Images).Name);
    }

    [Fact]
    public async Task Unsupported_format_is_named_before_the_model_is_loaded()
    {
        string file = Path.Combine(root, "photo.heic");
        await File.WriteAllBytesAsync(file, [0, 0, 0, 24, .. "ftypheic"u8, 0, 0, 0, 0], Cancellation);
        using CliHarness xc2 = new();
        Assert.Equal(ExitCode.Failed, await xc2.RunAsync("chat", "--image", file, "hi"));
        Assert.Equal($"xc2: {file}: is a HEIC picture, which is not read; convert it to PNG or JPEG\n", xc2.Error);
        Assert.Null(xc2.LoadedWith);
    }

    private void Copy(string name)
    {
        string path = Path.Combine(root, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.Copy(Picture, path);
    }
}
