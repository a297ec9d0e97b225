using System.Text;
using XComposer2.Native.Model;
using XComposer2.Native.Composition.Pictures;
using Xunit;

namespace XComposer2.Native.UnitTests;

public class PictureMetadataTests
{
    [Fact]
    public void Png_descriptions_are_read()
    {
        byte[] file = TestPicture.Png(1, 2, 3, 4,
            ("tEXt", TestPicture.Latin("Title\0Sunset at the sea")),
            ("tEXt", TestPicture.Latin("Software\0Paint Shop")),
            ("iTXt", Encoding.UTF8.GetBytes("Description\0\0\0zh\0描述\0海边的日落")),
            ("iTXt", Encoding.UTF8.GetBytes("Comment\0\u0001\0\0\0packed")));
        ImageDecoder.Decode(file, "made", ImageLimits.Default);
        Assert.Equal("Sunset at the sea 海边的日落", PictureMetadata.Of(file));
    }

    [Fact]
    public void Jpeg_comments_and_exif_are_read()
    {
        byte[] file = TestPicture.Jpeg((0xE1, Exif("A dog on a beach\0")), (0xFE, Encoding.UTF8.GetBytes("红色的狗")));
        ImageDecoder.Decode(file, "made", ImageLimits.Default);
        Assert.Equal("A dog on a beach 红色的狗", PictureMetadata.Of(file));
    }

    [Theory]
    [InlineData("OLYMPUS DIGITAL CAMERA         ")]
    [InlineData("CREATOR: gd-jpeg v1.0 (using IJG JPEG v62), quality = 90")]
    [InlineData("Created with GIMP")]
    [InlineData("20230101")]
    [InlineData("\u0007\u001b[31m")]
    public void Boilerplate_comments_are_ignored(string comment) =>
        Assert.Equal(string.Empty, PictureMetadata.Of(TestPicture.Jpeg((0xFE, TestPicture.Latin(comment)))));

    [Fact]
    public void Offsets_outside_the_file_are_ignored()
    {
        byte[] exif = Exif("A dog on a beach\0");
        for (int index = 6; index < exif.Length; index++)
            foreach (byte value in new byte[] { 0, 1, 0x7F, 0x80, 0xFF })
            {
                byte[] damaged = [.. exif];
                damaged[index] = value;
                PictureMetadata.Of(TestPicture.Jpeg((0xE1, damaged)));
            }
    }

    [Fact]
    public void Damaged_files_are_read_up_to_the_damage()
    {
        byte[][] files = [TestPicture.Png(1, 2, 3, 4, ("tEXt", TestPicture.Latin("Title\0Sunset at the sea"))), TestPicture.Jpeg((0xE1, Exif("A dog on a beach\0")), (0xFE, TestPicture.Latin("a comment")))];
        Random random = new(5);
        foreach (byte[] file in files)
            for (int round = 0; round < 3000; round++)
            {
                byte[] damaged = file[..random.Next(file.Length + 1)];
                for (int change = random.Next(5); change > 0 && damaged.Length > 0; change--)
                    damaged[random.Next(damaged.Length)] = (byte)random.Next(256);
                Assert.InRange(PictureMetadata.Of(damaged).Length, 0, CaptionText.MaxLength);
            }
    }

    [Fact]
    public void Text_is_cleaned_to_one_line_without_control_characters()
    {
        Assert.Equal("a b c", CaptionText.Clean("\uFEFF a\r\n\tb\u001b \u202Ec\0"));
        Assert.Equal("ab", CaptionText.Clean("ab😀", maxLength: 3));
        Assert.Equal("ab😀", CaptionText.Clean("ab😀", maxLength: 4));
    }

    // One directory with one entry, big-endian.
    private static byte[] Exif(string description)
    {
        byte[] text = TestPicture.Latin(description);
        return [.. "Exif\0\0"u8, .. "MM"u8, 0, 42, 0, 0, 0, 8, 0, 1, 0x01, 0x0E, 0, 2, 0, 0, 0, (byte)text.Length, 0, 0, 0, 26, 0, 0, 0, 0, .. text];
    }
}
