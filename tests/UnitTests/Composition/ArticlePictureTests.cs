using Xunit;
using XComposer2.Native.Composition;
using XComposer2.Native.Model;

namespace XComposer2.Native.UnitTests;

/// <summary>Picture formats in articles.</summary>
public class ArticlePictureTests
{
    [Theory]
    [InlineData("webp-q80.webp", "image/webp", ".webp")]
    [InlineData("jpeg-2x2.jpg", "image/jpeg", ".jpg")]
    [InlineData("gif-plain.gif", "image/gif", ".gif")]
    public void Picture_in_a_browser_format_is_unchanged(string name, string type, string ending)
    {
        byte[] file = PillowPicture.Read(name).Bytes;
        ArticlePicture picture = ArticlePicture.Own(name, file);
        Assert.Equal(file, picture.Bytes.ToArray());
        Assert.Equal(type, picture.MediaType);
        Assert.EndsWith(ending, picture.FileName, StringComparison.Ordinal);
        Assert.True(PictureFileName.IsOne(picture.FileName));
    }

    [Fact]
    public void Tiff_becomes_a_png_with_the_same_pixels()
    {
        PillowPicture tiff = PillowPicture.Read("tiff-rgb-tiles.tif");
        ArticlePicture picture = ArticlePicture.Own(tiff.Name, tiff.Bytes);
        Assert.Equal("image/png", picture.MediaType);
        Assert.Equal(tiff.Pixels, PillowPicture.Hash(ImageDecoder.Decode(picture.Bytes, "stored", ImageLimits.Default)));
    }

    [Fact]
    public void Ignored_orientation_is_removed_from_the_file()
    {
        PillowPicture turned = PillowPicture.Read("upright-6.jpg");
        ArticlePicture kept = ArticlePicture.Own(turned.Name, turned.Bytes, options: new PictureOptions { KeepOriginals = true });
        Assert.Equal(turned.Bytes, kept.Bytes.ToArray());
        Assert.Equal((43, 61), (ImageHeader.ReadUpright(kept.Bytes, "kept").Width, ImageHeader.ReadUpright(kept.Bytes, "kept").Height));
        ArticlePicture ignored = ArticlePicture.Own(turned.Name, turned.Bytes, ExifOrientation.Ignore);
        Assert.Equal(turned.Pixels, PillowPicture.Hash(ImageDecoder.Decode(ignored.Bytes, "ignored", ImageLimits.Default, ExifOrientation.Apply)));
    }
}
