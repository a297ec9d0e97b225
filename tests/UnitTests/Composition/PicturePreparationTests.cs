using System.IO.Compression;
using System.Text;
using XComposer2.Native.Cli;
using XComposer2.Native.Composition;
using XComposer2.Native.Model;
using Xunit;

namespace XComposer2.Native.UnitTests;

/// <summary>Stored pictures are scaled, upright and without metadata, in every file that leaves.</summary>
public sealed class PicturePreparationTests : IDisposable
{
    private readonly string root = Directory.CreateTempSubdirectory("xc2-prepared").FullName;

    private string Folder => Path.Combine(root, "made");

    private string Gallery => Path.Combine(root, "gallery");

    public void Dispose() => Directory.Delete(root, recursive: true);

    private static RgbImage Decode(ArticlePicture picture) => ImageDecoder.Decode(picture.Bytes, picture.Name, ImageLimits.Default, ExifOrientation.Apply);

    private static bool Tells(ReadOnlySpan<byte> bytes) => Encoding.Latin1.GetString(bytes).Contains(TestPhoto.Secret, StringComparison.Ordinal);

    [Fact]
    public void Large_rotated_photograph_becomes_a_small_upright_jpeg()
    {
        ArticlePicture picture = ArticlePicture.Own("phone.jpg", TestPhoto.Phone(2400, 1800, orientation: 6));
        RgbImage stored = Decode(picture), expected = PillowResize.Bicubic(ImageDecoder.Decode(TestPhoto.Phone(2400, 1800, orientation: 6), "x", ImageLimits.Default, ExifOrientation.Apply), 1200, 1600);
        Assert.Equal(("image/jpeg", 1200, 1600), (picture.MediaType, stored.Width, stored.Height));
        Assert.False(ImageHeader.IsTurned(picture.Bytes, "x"));
        Assert.False(Tells(picture.Bytes.Span));
        Assert.False(ImageMetadata.ColorProfile(picture.Bytes, ImageFormat.Jpeg).IsEmpty);
        Assert.InRange(TestPhoto.MeanDifference(expected.Pixels.Span, stored.Pixels.Span), 0, 2.5);
        Assert.InRange(picture.Bytes.Length, 10_000, 600_000);
    }

    [Fact]
    public void Small_upright_photograph_keeps_its_pixels()
    {
        byte[] phone = TestPhoto.Phone(640, 480);
        ArticlePicture picture = ArticlePicture.Own("phone.jpg", phone);
        Assert.Equal(ImageDecoder.Decode(phone, "x", ImageLimits.Default).Pixels.ToArray(), Decode(picture).Pixels.ToArray());
        Assert.False(Tells(picture.Bytes.Span));
    }

    [Fact]
    public void Originals_are_stored_unchanged()
    {
        byte[] phone = TestPhoto.Phone(2000, 100, orientation: 6);
        Assert.Equal(phone, ArticlePicture.Own("phone.jpg", phone, options: new PictureOptions { KeepOriginals = true }).Bytes.ToArray());
    }

    [Theory]
    [InlineData(64)]
    [InlineData(300)]
    public void Size_is_an_option(int side)
    {
        RgbImage stored = Decode(ArticlePicture.Own("x.jpg", TestPhoto.Phone(640, 320), options: new PictureOptions { MaximumSide = side }));
        Assert.Equal((side, side / 2), (stored.Width, stored.Height));
        Assert.Equal("picture size: expected 64 to 16384, found 63", Assert.Throws<EngineException>(() => ArticlePicture.Own("x.jpg", TestPhoto.Phone(8, 8), options: new PictureOptions { MaximumSide = 63 })).Message);
    }

    /// <summary>A screenshot has an alpha channel without a transparent pixel, a logo has transparent ones of any colour.</summary>
    [Fact]
    public void Large_screenshots_stay_lossless_and_logos_stay_transparent()
    {
        byte[] flat = [.. Enumerable.Range(0, 1800 * 900).SelectMany(index => index % 1800 < 900 ? (byte[])[20, 120, 220] : [250, 250, 250])];
        RgbImage image = new(1800, 900, flat), opaque = new(1800, 900, [.. Enumerable.Repeat(byte.MaxValue, flat.Length)]);
        RgbImage half = new(1800, 900, [.. Enumerable.Range(0, 1800 * 900).SelectMany(index => Enumerable.Repeat((byte)(index % 1800 < 900 ? 255 : 0), 3))]);

        ArticlePicture screenshot = ArticlePicture.Own("screen.png", PngEncoder.Encode(image, opaque));
        Assert.Equal(("image/png", 1600), (screenshot.MediaType, Decode(screenshot).Width));
        Assert.False(ImageMetadata.HasAlpha(screenshot.Bytes, ImageFormat.Png));

        ArticlePicture logo = ArticlePicture.Own("logo.png", PngEncoder.Encode(image, half));
        RgbImage alpha = ImageMetadata.DecodeAlpha(logo.Bytes, "x", ImageLimits.Default, ExifOrientation.Ignore)!;
        Assert.Equal((1600, 800), (alpha.Width, alpha.Height));
        Assert.Equal((255, 0), (alpha.Pixels.Span[3 * 100], alpha.Pixels.Span[3 * 1500]));
        // The white of invisible pixels does not shine through at the edge.
        Assert.Equal([20, 120, 220], Decode(logo).Pixels.Span.Slice(3 * 795, 3).ToArray());
    }

    [Fact]
    public void Large_photograph_in_a_lossless_format_becomes_a_jpeg()
    {
        RgbImage photo = TestPhoto.Of(1700, 1300);
        byte[] noisy = photo.Pixels.ToArray();
        Random random = new(2);
        for (int index = 0; index < noisy.Length; index++)
            noisy[index] = (byte)Math.Clamp(noisy[index] + random.Next(-8, 9), 0, 255);
        Assert.Equal("image/jpeg", ArticlePicture.Own("x.png", PngEncoder.Encode(new RgbImage(1700, 1300, noisy))).MediaType);
    }

    [Fact]
    public void Prepared_pictures_of_every_format_are_prepared_once()
    {
        PictureOptions small = new() { MaximumSide = 64 };
        foreach (PillowPicture file in PillowPicture.ReadAll().Where(file => file.Pixels.Length > 1))
        {
            ArticlePicture picture = ArticlePicture.Own(file.Name, file.Bytes), scaled = ArticlePicture.Own(file.Name, file.Bytes, options: small);
            Assert.Same(picture, picture.Prepared(PictureOptions.Default));
            Assert.Equal(scaled.FileName, scaled.Prepared(small).FileName);
            if (!file.Name.Contains("alpha", StringComparison.Ordinal) && !file.Name.Contains("animated", StringComparison.Ordinal))
                Assert.InRange(Math.Max(Decode(scaled).Width, Decode(scaled).Height), 1, 64);
            bool isSmall = ImageHeader.Read(file.Bytes, file.Name) is { Width: <= PictureOptions.DefaultSide, Height: <= PictureOptions.DefaultSide };
            if (isSmall && file.Upright.Length > 1 && ImageMetadata.IsLossless(file.Bytes, ImageHeader.Read(file.Bytes, file.Name).Format))
                Assert.Equal((file.Name, file.Upright), (file.Name, PillowPicture.Hash(Decode(picture))));
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task No_file_of_an_article_has_metadata_unless_originals_are_wanted(bool originals)
    {
        Directory.CreateDirectory(Gallery);
        for (int index = 0; index < 3; index++)
            File.WriteAllBytes(Path.Combine(Gallery, $"red{index}.jpg"), TestPhoto.Phone(200 + (50 * index), 120, orientation: 1 + (5 * (index % 2))));
        using CliHarness xc2 = new() { Composer = ScriptedCompositionModel.Of("Welcome.\nA red circle.\nGoodbye.", "<Seg1>", "red\"", ": A") };
        Assert.Equal(ExitCode.Done, await xc2.RunAsync(["compose", "--out", Folder, "--instruction", "x", "--gallery", Gallery, .. originals ? (string[])["--originals"] : []]));
        Assert.NotNull(ArticleFolder.Open(Folder).Current.Sections[1].Figure?.Picture);
        Assert.Equal(originals, Everything().Any(file => Tells(file.Bytes)));

        // An edit keeps the setting.
        using CliHarness edit = new();
        Assert.Equal(ExitCode.Done, await edit.RunAsync("edit", "--article", Folder, "--op", "set-title", "--title", "New"));
        Assert.Equal(originals, Everything().Any(file => Tells(file.Bytes)));
        Assert.Equal(originals, ArticleFolder.Open(Folder).Current.Pictures.KeepOriginals);
    }

    [Fact]
    public async Task Edit_removes_metadata_from_an_article_of_an_earlier_version()
    {
        ArticlePicture phone = ArticlePicture.Own("phone.jpg", TestPhoto.Phone(2000, 500), options: new PictureOptions { KeepOriginals = true });
        Article article = CompositionPictures.Article("one", "two").WithFigure(0, new ArticleFigure { Candidates = [phone], ChosenIndex = 0 }) with { OwnPictures = [phone] };
        ArticleFolder.Create(Folder, ArticleHistory.Begin(article), ArticleOutput.Standard);
        Assert.Contains(Everything(), file => Tells(file.Bytes));

        using CliHarness xc2 = new();
        Assert.Equal(ExitCode.Done, await xc2.RunAsync("edit", "--article", Folder, "--op", "set-text", "--section", "2", "--instruction", "new"));
        Assert.DoesNotContain(Everything(), file => Tells(file.Bytes));
        Article after = ArticleFolder.Open(Folder).Current;
        Assert.Equal(1600, ImageHeader.Read(after.Sections[0].Figure!.Picture!.Bytes, "x").Width);
        Assert.Equal(after.OwnPictures[0].FileName, after.Sections[0].Figure!.Picture!.FileName);
        Assert.Single(Directory.EnumerateFiles(Path.Combine(Folder, "pictures")));
    }

    [Theory]
    [InlineData(0.5)]
    [InlineData(0.8)]
    public void Metadata_of_a_stored_picture_that_cannot_be_decoded_is_removed(double part)
    {
        byte[] phone = TestPhoto.Phone(64, 64, orientation: 6);
        byte[] cut = phone[..(int)(phone.Length * part)];
        ArticlePicture damaged = ArticlePicture.Restore("shelf", "id", "x.jpg", null, cut), prepared = damaged.Prepared(PictureOptions.Default);
        Assert.True(Tells(damaged.Bytes.Span));
        Assert.False(Tells(prepared.Bytes.Span));
        Assert.Equal(("shelf", "id"), (prepared.Source, prepared.Id));
        Assert.Throws<ImageException>(() => Decode(prepared));
    }

    /// <summary>All files of the article, of its archives, and the pictures embedded in its pages.</summary>
    private IEnumerable<(string Name, byte[] Bytes)> Everything()
    {
        foreach (string file in Directory.EnumerateFiles(Folder, "*", SearchOption.AllDirectories))
        {
            byte[] bytes = File.ReadAllBytes(file);
            yield return (file, bytes);
            if (file.EndsWith(".html", StringComparison.Ordinal))
                foreach (string part in Encoding.UTF8.GetString(bytes).Split("base64,").Skip(1))
                    yield return (file, Convert.FromBase64String(part[..part.IndexOf('"', StringComparison.Ordinal)]));
            if (Path.GetExtension(file) is not (".zip" or ".docx"))
                continue;
            using ZipArchive archive = ZipFile.OpenRead(file);
            foreach (ZipArchiveEntry entry in archive.Entries)
            {
                using MemoryStream content = new();
                using (Stream packed = entry.Open())
                    packed.CopyTo(content);
                yield return ($"{file}/{entry.FullName}", content.ToArray());
            }
        }
    }
}
