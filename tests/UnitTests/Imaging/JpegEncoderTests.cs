using StbImageSharp;
using XComposer2.Native.Model;
using Xunit;

namespace XComposer2.Native.UnitTests;

public class JpegEncoderTests
{
    [Theory]
    [InlineData(1, 1)]
    [InlineData(16, 16)]
    [InlineData(17, 31)]
    [InlineData(640, 427)]
    public void Two_decoders_read_the_same_picture(int width, int height)
    {
        RgbImage picture = TestPhoto.Of(width, height);
        byte[] file = JpegEncoder.Encode(picture);
        RgbImage ours = ImageDecoder.Decode(file, "ours", ImageLimits.Default);
        ImageResult theirs = ImageResult.FromMemory(file, ColorComponents.RedGreenBlue);
        Assert.Equal((width, height), (ours.Width, ours.Height));
        Assert.Equal((width, height), (theirs.Width, theirs.Height));
        // Chroma has half the resolution, which shows in small pictures.
        Assert.InRange(TestPhoto.MeanDifference(TestPhoto.Luminance(picture), TestPhoto.Luminance(ours)), 0, 2);
        if (width > 100)
            Assert.InRange(TestPhoto.MeanDifference(picture.Pixels.Span, ours.Pixels.Span), 0, 2.5);
        Assert.InRange(TestPhoto.MeanDifference(theirs.Data, ours.Pixels.Span), 0, 0.6);
    }

    [Fact]
    public void Quality_determines_size_and_error()
    {
        RgbImage picture = TestPhoto.Of(320, 200);
        (int Bytes, double Error)[] results = [.. ((int[])[30, 60, 85, 100]).Select(quality =>
        {
            byte[] file = JpegEncoder.Encode(picture, quality);
            return (file.Length, TestPhoto.MeanDifference(picture.Pixels.Span, ImageDecoder.Decode(file, "x", ImageLimits.Default).Pixels.Span));
        })];
        Assert.Equal(results.Select(result => result.Bytes).Order(), results.Select(result => result.Bytes));
        Assert.Equal(results.Select(result => result.Error).OrderDescending(), results.Select(result => result.Error));
    }

    /// <summary>Extreme coefficients, and 0xFF bytes in the data.</summary>
    [Fact]
    public void Noise_and_stripes_are_encoded_without_damage()
    {
        byte[] noise = new byte[3 * 211 * 97];
        new Random(5).NextBytes(noise);
        byte[] stripes = [.. Enumerable.Range(0, 3 * 64 * 64).Select(index => (byte)(index / 3 % 2 * 255))];
        foreach (RgbImage picture in (RgbImage[])[new(211, 97, noise), new(64, 64, stripes)])
        {
            byte[] file = JpegEncoder.Encode(picture, 100);
            RgbImage read = ImageDecoder.Decode(file, "x", ImageLimits.Default);
            ImageResult theirs = ImageResult.FromMemory(file, ColorComponents.RedGreenBlue);
            Assert.InRange(TestPhoto.MeanDifference(theirs.Data, read.Pixels.Span), 0, 1.5);
        }
        Assert.Equal(JpegEncoder.Encode(new(211, 97, noise)), JpegEncoder.Encode(new(211, 97, noise)));
    }

    [Fact]
    public void Colour_profile_is_embedded_in_pieces()
    {
        byte[] profile = new byte[150_000];
        new Random(3).NextBytes(profile);
        "RGB "u8.CopyTo(profile.AsSpan(16));
        "acsp"u8.CopyTo(profile.AsSpan(36));
        byte[] jpeg = JpegEncoder.Encode(TestPhoto.Of(40, 30), profile: profile), png = PngEncoder.Encode(TestPhoto.Of(40, 30), profile: profile);
        Assert.Equal(profile, ImageMetadata.ColorProfile(jpeg, ImageFormat.Jpeg).ToArray());
        Assert.Equal(profile, ImageMetadata.ColorProfile(png, ImageFormat.Png).ToArray());
        Assert.Equal(ImageDecoder.Decode(png, "png", ImageLimits.Default).Pixels.ToArray(), TestPhoto.Of(40, 30).Pixels.ToArray());
        Assert.Equal(40, ImageDecoder.Decode(jpeg, "jpeg", ImageLimits.Default).Width);
        "GRAY"u8.CopyTo(profile.AsSpan(16));
        Assert.True(ImageMetadata.ColorProfile(JpegEncoder.Encode(TestPhoto.Of(8, 8), profile: profile), ImageFormat.Jpeg).IsEmpty);
    }

    [Fact]
    public void Png_with_opacity_is_read_back_exactly()
    {
        RgbImage picture = TestPhoto.Of(37, 21);
        RgbImage alpha = new(37, 21, [.. Enumerable.Range(0, 37 * 21).SelectMany(index => Enumerable.Repeat((byte)(index * 7), 3))]);
        byte[] file = PngEncoder.Encode(picture, alpha);
        Assert.True(ImageMetadata.HasAlpha(file, ImageFormat.Png));
        Assert.Equal(picture.Pixels.ToArray(), ImageDecoder.Decode(file, "x", ImageLimits.Default).Pixels.ToArray());
        Assert.Equal(alpha.Pixels.ToArray(), ImageMetadata.DecodeAlpha(file, "x", ImageLimits.Default, ExifOrientation.Apply)!.Pixels.ToArray());
        Assert.Null(ImageMetadata.DecodeAlpha(PngEncoder.Encode(picture), "x", ImageLimits.Default, ExifOrientation.Apply));
    }
}

/// <summary>A synthetic photograph: smooth colours, edges, and mild noise.</summary>
internal static class TestPhoto
{
    public static RgbImage Of(int width, int height)
    {
        byte[] pixels = new byte[3 * width * height];
        Random random = new(17);
        for (int y = 0; y < height; y++)
        {
            for (int x = 0; x < width; x++)
            {
                double u = (double)x / width, v = (double)y / height;
                int noise = random.Next(-3, 4), disc = ((u - 0.6) * (u - 0.6)) + ((v - 0.4) * (v - 0.4)) < 0.04 ? 90 : 0;
                int at = 3 * ((y * width) + x);
                pixels[at] = (byte)Math.Clamp(40 + (150 * v) + disc + noise, 0, 255);
                pixels[at + 1] = (byte)Math.Clamp(90 + (60 * Math.Sin(5 * u)) + noise, 0, 255);
                pixels[at + 2] = (byte)Math.Clamp(200 - (120 * v) - disc + noise, 0, 255);
            }
        }
        return new RgbImage(width, height, pixels);
    }

    public static byte[] Luminance(RgbImage image)
    {
        byte[] luminance = new byte[image.Width * image.Height];
        ReadOnlySpan<byte> pixels = image.Pixels.Span;
        for (int index = 0; index < luminance.Length; index++)
            luminance[index] = (byte)((0.299 * pixels[3 * index]) + (0.587 * pixels[(3 * index) + 1]) + (0.114 * pixels[(3 * index) + 2]) + 0.5);
        return luminance;
    }

    public static double MeanDifference(ReadOnlySpan<byte> first, ReadOnlySpan<byte> second)
    {
        Assert.Equal(first.Length, second.Length);
        long sum = 0;
        for (int index = 0; index < first.Length; index++)
            sum += Math.Abs(first[index] - second[index]);
        return (double)sum / first.Length;
    }

    /// <summary>A JPEG as a phone writes it: EXIF with orientation, artist and GPS position, XMP, IPTC, a comment, a colour profile, and bytes behind the picture.</summary>
    public static byte[] Phone(int width, int height, int orientation = 1, string secret = Secret)
    {
        byte[] profile = new byte[132];
        "RGB "u8.CopyTo(profile.AsSpan(16));
        "acsp"u8.CopyTo(profile.AsSpan(36));
        byte[] jpeg = JpegEncoder.Encode(Of(width, height), profile: profile);
        (byte Marker, byte[] Content)[] segments =
        [
            (0xE1, [.. "Exif\0\0"u8, .. Exif(orientation, secret)]), (0xE1, [.. "http://ns.adobe.com/xap/1.0/\0"u8, .. TestPicture.Latin($"<x:xmpmeta>{secret}</x:xmpmeta>")]),
            (0xED, [.. "Photoshop 3.0\0"u8, .. TestPicture.Latin(secret)]), (0xFE, TestPicture.Latin($"File written by {secret}")),
        ];
        return [.. jpeg[..2], .. segments.SelectMany(segment => Segment(segment.Marker, segment.Content)), .. jpeg[2..], .. TestPicture.Latin($"video {secret}")];
    }

    /// <summary>The text in all metadata of <see cref="Phone"/>.</summary>
    public const string Secret = "48 deg 51 min N";

    /// <summary>A TIFF structure: Orientation, Artist, and a GPS directory with a latitude reference and an area text.</summary>
    public static byte[] Exif(int orientation, string secret)
    {
        byte[] text = [.. TestPicture.Latin(secret), 0];
        List<byte> tiff = [.. "MM\0*"u8, 0, 0, 0, 8, 0, 3];
        int end = 8 + 2 + (3 * 12) + 4;
        Entry(0x0112, 3, 1, orientation << 16);
        Entry(0x013B, 2, text.Length, end);
        Entry(0x8825, 4, 1, end + text.Length);
        tiff.AddRange([0, 0, 0, 0, .. text, 0, 1]);
        Entry(0x001C, 7, text.Length, end);
        tiff.AddRange([0, 0, 0, 0]);
        return [.. tiff];

        void Entry(int tag, int type, int count, int value) =>
            tiff.AddRange([(byte)(tag >> 8), (byte)tag, 0, (byte)type, 0, 0, (byte)(count >> 8), (byte)count, (byte)(value >> 24), (byte)(value >> 16), (byte)(value >> 8), (byte)value]);
    }

    private static byte[] Segment(byte marker, byte[] content) => [0xFF, marker, (byte)((content.Length + 2) >> 8), (byte)(content.Length + 2), .. content];
}
