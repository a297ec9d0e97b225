using System.Text.Json;
using XComposer2.Native.Server;
using XComposer2.Native.UnitTests;
using Xunit;

namespace XComposer2.Native.ServerTests;

/// <summary>Where pictures of requests may come from, and what is refused.</summary>
public sealed class RequestPictureTests(DemoServer demo) : IClassFixture<DemoServer>
{
    private const string Described = "The image shows a red star at the top.";

    [Fact]
    public async Task Picture_is_a_data_url_base64_or_a_file_below_the_folder()
    {
        byte[] picture = DemoServer.Picture();
        foreach (string url in (string[])[DemoServer.DataUrl(picture), Convert.ToBase64String(picture), "file://" + TestPaths.Repository("tools/demo/pictures/shapes-1.png")])
            Assert.Equal(Described, await DescribeAsync(DemoServer.PicturePart(url)));
    }

    [Fact]
    public async Task Picture_may_be_named_without_an_object_and_with_escaped_slashes()
    {
        string url = JsonSerializer.Serialize(DemoServer.DataUrl(DemoServer.Picture()));
        Assert.Equal(Described, await DescribeAsync($$"""{"type":"image_url","image_url":{{url}}}"""));
        Assert.Equal(Described, await DescribeAsync($$"""{"type":"image_url","image_url":{{url.Replace("/", "\\/", StringComparison.Ordinal)}}}"""));
    }

    [Fact]
    public async Task Pictures_between_texts_stay_where_they_are()
    {
        string first = DemoServer.PicturePart(DemoServer.DataUrl(DemoServer.Picture())), second = DemoServer.PicturePart(DemoServer.DataUrl(DemoServer.Picture("shapes-2.png")));
        (int status, JsonElement body) = await demo.PostAsync("/apply-template", DemoServer.ChatBody("", DemoServer.TextPart("Left: "), first, DemoServer.TextPart(" right: "), second, DemoServer.TextPart("Which?")));
        Assert.Equal(200, status);
        Assert.Contains("Left: <ImageHere> right: <ImageHere>Which?", body.GetProperty("prompt").GetString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("https://example.org/cat.png", "loads no pictures from addresses")]
    [InlineData("file:///etc/passwd", "not below the folder")]
    [InlineData("file://FOLDER/../README.md", "not below the folder")]
    [InlineData("file://FOLDER/%2e%2e/README.md", "not below the folder")]
    [InlineData("file://host/FOLDER/shapes-1.png", "not below the folder")]
    [InlineData("file://FOLDER/none.png", "no such file")]
    [InlineData("file://FOLDER", "not below the folder")]
    [InlineData("file://FOLDER/a%00b.png", "not below the folder")]
    [InlineData("data:image/png;base64,####", "none of them")]
    [InlineData("data:image/png;base64,", "none of them")]
    [InlineData("data:image/png,raw", "expected data:image/...;base64")]
    [InlineData("data:image/png;base64,aGVsbG8=", "not a picture")]
    [InlineData("ftp://example.org/a.png", "none of them")]
    public async Task Other_sources_are_refused(string url, string message)
    {
        string folder = TestPaths.Repository("tools/demo/pictures");
        await ExpectAsync(demo, DemoServer.PicturePart(url.Replace("FOLDER", folder, StringComparison.Ordinal)), "invalid_image", message);
    }

    [Fact]
    public async Task Links_out_of_the_folder_are_not_followed()
    {
        DirectoryInfo folder = Directory.CreateTempSubdirectory("xc2 server-");
        try
        {
            File.CreateSymbolicLink(Path.Combine(folder.FullName, "link.png"), TestPaths.Repository("tools/demo/pictures/shapes-1.png"));
            Directory.CreateSymbolicLink(Path.Combine(folder.FullName, "linked"), TestPaths.Repository("tools/demo/pictures"));
            await using DemoServer server = await DemoServer.OfAsync(new ServerOptions { PictureFolder = folder.FullName });
            foreach (string name in (string[])["link.png", "linked/shapes-1.png"])
                await ExpectAsync(server, DemoServer.PicturePart(new Uri(Path.Combine(folder.FullName, name)).AbsoluteUri), "invalid_image", "links are not followed");
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Theory]
    [InlineData("https://other.example/a.png", "is not on the list of allowed hosts")]
    [InlineData("http://localhost/a.png", "is not on the list of allowed hosts")]
    [InlineData("http://allowed.example/a.png", "expected https")]
    [InlineData("https://127.0.0.1/a.png", "a private address, which is not allowed")]
    [InlineData("https://user:secret@127.0.0.1/a.png", "user names and passwords")]
    public async Task Address_must_be_allowed_and_global(string url, string message)
    {
        await using DemoServer server = await DemoServer.OfAsync(new ServerOptions { PictureHosts = ["allowed.example", "127.0.0.1"] });
        await ExpectAsync(server, DemoServer.PicturePart(url), "invalid_image", message);
    }

    [Fact]
    public async Task Too_many_pictures_and_too_many_pixels_are_refused()
    {
        await using DemoServer server = await DemoServer.OfAsync(new ServerOptions { MaxPictures = 2, MaxPicturePixels = 490 * 490 });
        string picture = DemoServer.PicturePart(DemoServer.DataUrl(DemoServer.Picture()));
        (int status, JsonElement body) = await server.PostAsync("/v1/chat/completions", DemoServer.ChatBody("", picture, picture, picture));
        Assert.Equal((400, "too_many_images"), (status, body.GetProperty("error").GetProperty("code").GetString()));
        await ExpectAsync(server, DemoServer.PicturePart(DemoServer.DataUrl(Bomb(30_000))), "image_too_large", "30000 x 30000");
    }

    /// <summary>The header of a PNG that claims so many pixels, and hardly any data.</summary>
    private static byte[] Bomb(int side)
    {
        byte[] picture = DemoServer.Picture();
        System.Buffers.Binary.BinaryPrimitives.WriteInt32BigEndian(picture.AsSpan(16), side);
        System.Buffers.Binary.BinaryPrimitives.WriteInt32BigEndian(picture.AsSpan(20), side);
        return picture;
    }

    private async Task<string> DescribeAsync(string picture)
    {
        (int status, JsonElement body) = await demo.PostAsync("/v1/chat/completions", DemoServer.ChatBody("\"max_tokens\":60", picture, DemoServer.TextPart("Describe this image.")));
        Assert.True(status == 200, body.ToString());
        return body.GetProperty("choices")[0].GetProperty("message").GetProperty("content").GetString()!;
    }

    private static async Task ExpectAsync(DemoServer server, string part, string code, string message)
    {
        (int status, JsonElement body) = await server.PostAsync("/v1/chat/completions", DemoServer.ChatBody("", part));
        JsonElement error = body.GetProperty("error");
        Assert.Contains(message, error.GetProperty("message").GetString(), StringComparison.Ordinal);
        Assert.Equal((400, code), (status, error.GetProperty("code").GetString()));
        Assert.StartsWith("messages[0].content[0].image_url", error.GetProperty("param").GetString(), StringComparison.Ordinal);
    }
}
