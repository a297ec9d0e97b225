using System.Text;
using XComposer2.Native.Model;
using Xunit;

namespace XComposer2.Native.UnitTests;

/// <summary>Metadata is removed, and no pixel changes.</summary>
public class ImageMetadataTests
{
    private static string Hash(byte[] bytes) => PillowPicture.Hash(ImageDecoder.Decode(bytes, "x", ImageLimits.Default));

    [Fact]
    public void Pixels_of_every_format_are_unchanged_and_removal_is_complete_at_once()
    {
        int removed = 0;
        foreach (PillowPicture picture in PillowPicture.ReadAll().Where(picture => picture.Pixels.Length > 1))
        {
            ImageFormat format = ImageHeader.Read(picture.Bytes, picture.Name).Format;
            byte[]? stripped = ImageMetadata.Remove(picture.Bytes, format);
            bool mayRemain = format is ImageFormat.Tiff or ImageFormat.Bmp;
            if (stripped is null)
            {
                Assert.True(mayRemain || picture.Name.Contains("cut", StringComparison.Ordinal) || format == ImageFormat.Png, picture.Name);
                continue;
            }

            removed++;
            Assert.Equal((picture.Name, picture.Pixels), (picture.Name, Hash(stripped)));
            Assert.Equal(stripped, ImageMetadata.Remove(stripped, format));
            Assert.False(ImageHeader.IsTurned(stripped, picture.Name), picture.Name);
        }

        Assert.InRange(removed, 100, 184);
    }

    [Fact]
    public void Damaged_files_that_decode_keep_their_pixels()
    {
        int compared = 0;
        foreach (PillowPicture picture in PillowPicture.ReadAll().Where((_, index) => index % 4 == 0))
        {
            for (int round = 0; round < Math.Min(12, picture.Damaged.Length); round++)
            {
                byte[] file = picture.Damage(round);
                string pixels;
                try
                {
                    pixels = Hash(file);
                }
                catch (ImageException)
                {
                    continue;
                }

                if (ImageMetadata.Remove(file, ImageHeader.Read(file, "x").Format) is not { } stripped)
                    continue;
                Assert.Equal((picture.Name, round, pixels), (picture.Name, round, Hash(stripped)));
                compared++;
            }
        }

        Assert.InRange(compared, 30, int.MaxValue);
    }

    /// <summary>Pictures of an article from elsewhere are not decoded before their metadata is removed.</summary>
    [Fact]
    public void Damaged_files_with_a_header_cause_no_exception()
    {
        int read = 0;
        foreach (PillowPicture picture in PillowPicture.ReadAll())
        {
            for (int round = 0; round < 40; round++)
            {
                byte[] file = PictureDamage.Of(picture.Bytes, (ulong)((977 * picture.Number) + round));
                if (round % 4 == 0)
                    file = file[..Math.Min(file.Length, 20 + (file.Length * round / 40))];
                ImageHeader header;
                try
                {
                    header = ImageHeader.Read(file, "x");
                }
                catch (ImageException)
                {
                    continue;
                }

                read++;
                _ = ImageMetadata.IsAnimated(file, header.Format);
                _ = ImageMetadata.HasAlpha(file, header.Format);
                _ = ImageMetadata.IsLossless(file, header.Format);
                _ = ImageMetadata.ColorProfile(file, header.Format);
                if (ImageMetadata.Remove(file, header.Format) is { } stripped)
                    Assert.Equal(header.Format, ImageHeader.Read(stripped, "x").Format);
            }
        }

        Assert.InRange(read, 2000, int.MaxValue);
    }

    [Fact]
    public void Jpeg_of_a_phone_keeps_its_colour_profile_only()
    {
        byte[] phone = TestPhoto.Phone(64, 48), stripped = ImageMetadata.Remove(phone, ImageFormat.Jpeg)!;
        string text = Encoding.Latin1.GetString(stripped);
        Assert.Contains(TestPhoto.Secret, Encoding.Latin1.GetString(phone), StringComparison.Ordinal);
        foreach (string trace in (string[])[TestPhoto.Secret, "Exif", "adobe", "Photoshop", "video"])
            Assert.DoesNotContain(trace, text, StringComparison.Ordinal);
        Assert.Contains("ICC_PROFILE", text, StringComparison.Ordinal);
        Assert.Equal(Hash(phone), Hash(stripped));
        Assert.Equal(0xD9, stripped[^1]);
    }

    [Fact]
    public void Texts_and_times_of_a_png_are_removed()
    {
        byte[] gamma = [0, 0, 0xB1, 0x8F];
        byte[] file = TestPicture.Png(1, 2, 3, 4, ("gAMA", gamma), ("tEXt", TestPicture.Latin("Comment\0secret")), ("iTXt", TestPicture.Latin("Title\0\0\0\0\0secret")), ("eXIf", TestPhoto.Exif(1, "secret")), ("tIME", new byte[7]));
        byte[] longer = [.. file, .. TestPicture.Latin("secret")];
        Assert.Equal(TestPicture.Png(1, 2, 3, 4, ("gAMA", gamma)), ImageMetadata.Remove(longer, ImageFormat.Png));
    }

    [Fact]
    public void Comments_of_a_gif_and_chunks_of_a_webp_are_removed()
    {
        byte[] gif = PillowPicture.Read("gif-plain.gif").Bytes;
        int image = 13 + (3 << ((gif[10] & 7) + 1));
        byte[] commented = [.. gif[..image], 0x21, 0xFE, 6, .. "secret"u8, 0, 0x21, 0xFF, 11, .. "XMP DataXMP"u8, 3, 1, 2, 3, 0, .. gif[image..], .. "secret"u8];
        byte[] plain = ImageMetadata.Remove(commented, ImageFormat.Gif)!;
        Assert.Equal(ImageMetadata.Remove(gif, ImageFormat.Gif), plain);
        Assert.DoesNotContain("secret", Encoding.Latin1.GetString(plain), StringComparison.Ordinal);

        byte[] webp = PillowPicture.Read("webp-q80.webp").Bytes;
        byte[] exif = TestPhoto.Exif(6, "secret");
        byte[] extended = [.. webp, .. "EXIF"u8, .. BitConverter.GetBytes(exif.Length), .. exif, .. (byte[])(exif.Length % 2 == 0 ? [] : [0]), .. "XMP "u8, 6, 0, 0, 0, .. "secret"u8];
        BitConverter.GetBytes(extended.Length - 8).CopyTo(extended, 4);
        Assert.True(ImageHeader.IsTurned(extended, "x"));
        Assert.Equal(webp, ImageMetadata.Remove(extended, ImageFormat.WebP));
    }

    [Theory]
    [InlineData("gif-animated.gif", true)]
    [InlineData("gif-plain.gif", false)]
    [InlineData("webp-q80.webp", false)]
    public void Animations_are_recognised(string name, bool isAnimated)
    {
        if (PillowPicture.ReadAll().FirstOrDefault(picture => picture.Name == name) is { } picture)
            Assert.Equal(isAnimated, ImageMetadata.IsAnimated(picture.Bytes, ImageHeader.Read(picture.Bytes, name).Format));
    }
}
