using System.Buffers.Binary;
using System.Text;
using Xunit;
using XComposer2.Native.Model;

namespace XComposer2.Native.UnitTests;

public class ImageDecoderTests
{
    [Fact]
    public void Empty_file_is_refused() => Refused([], "empty");

    [Fact]
    public void Text_is_refused_with_its_bytes() => Refused(Encoding.ASCII.GetBytes("hello"), "expected PNG, JPEG, WebP, GIF, BMP or TIFF; found bytes 68 65 6C 6C 6F");

    [Theory]
    [InlineData(30000u, 30000u, "the picture is 30000 x 30000 = 900000000 pixels, the limit is 268435456")]
    [InlineData(0u, 0u, "the picture is 0 x 0")]
    [InlineData(7u, 0u, "the picture is 7 x 0")]
    [InlineData(uint.MaxValue, uint.MaxValue, "limit is 268435456")]
    public void Size_is_refused_before_anything_is_allocated(uint width, uint height, string reason)
    {
        byte[] png = PngHeader(width, height);
        long before = GC.GetAllocatedBytesForCurrentThread();
        Refused(png, reason);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1 << 20);
    }

    [Theory]
    [InlineData("gif", "65535 x 65535")]
    [InlineData("bmp", "30000 x 30000")]
    [InlineData("jpeg", "30000 x 30000")]
    public void Other_formats_are_refused_by_size_too(string format, string found)
    {
        byte[] bytes = format switch
        {
            "gif" => [.. "GIF89a"u8, 0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 0, 0x2C, 0, 0, 0, 0, 1, 0, 1, 0, 0],
            "bmp" => BmpHeader(30000, 30000),
            _ => [0xFF, 0xD8, 0xFF, 0xE0, 0, 4, 1, 2, 0xFF, 0xC0, 0, 11, 8, 0x75, 0x30, 0x75, 0x30, 1, 0, 0, 0],
        };
        Refused(bytes, found);
    }

    [Fact]
    public void A_limit_of_the_caller_holds()
    {
        string path = TestPaths.Golden("images/rgb-33x33.png");
        Assert.Equal(33, ImageDecoder.DecodeFile(path, new(33 * 33, 1 << 20)).Width);
        ImageException pixels = Assert.Throws<ImageException>(() => ImageDecoder.DecodeFile(path, new(33 * 33 - 1, 1 << 20)));
        Assert.Contains("1089 pixels, the limit is 1088", pixels.Message, StringComparison.Ordinal);
        ImageException size = Assert.Throws<ImageException>(() => ImageDecoder.DecodeFile(path, new(33 * 33, 1000)));
        Assert.Contains("the limit is 1000", size.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_ribbon_is_refused_by_its_side() => Refused(PngHeader(1, 65_536), "the picture is 1 x 65536, the limit of a side is 65535");

    [Fact]
    public void What_is_no_plain_file_is_refused_without_waiting_for_it()
    {
        if (!Path.Exists("/dev/zero")) Assert.Skip("/dev/zero is not here");
        Assert.Contains("empty", Assert.Throws<ImageException>(() => ImageDecoder.DecodeFile("/dev/zero", ImageLimits.Default)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Missing_file_and_folder_are_refused()
    {
        Assert.Contains("no such file", Assert.Throws<ImageException>(() => ImageDecoder.DecodeFile("no-picture.png", ImageLimits.Default)).Message, StringComparison.Ordinal);
        Assert.Contains("folder", Assert.Throws<ImageException>(() => ImageDecoder.DecodeFile(Path.GetTempPath(), ImageLimits.Default)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("rgb-33x33.png")]
    [InlineData("palette-128x96.png")]
    [InlineData("gif-100x70.gif")]
    [InlineData("bmp-90x60.bmp")]
    [InlineData("jpeg-progressive.jpg")]
    [InlineData("jpeg-gray.jpg")]
    public void A_truncated_file_is_refused_wherever_it_is_cut(string file)
    {
        byte[] bytes = File.ReadAllBytes(TestPaths.Golden($"images/{file}"));
        // The end of a PNG is a checksum, an end chunk and the checksum of the compressed data; of other formats a mark or padding.
        int needless = file.EndsWith(".png", StringComparison.Ordinal) ? 20 : 4;
        int step = Math.Max(1, bytes.Length / 97);
        for (int length = 0; length < bytes.Length - needless; length += step) Refused(bytes[..length], file);
    }

    [Fact]
    public void A_gif_shows_the_first_frame_and_the_colour_under_transparency()
    {
        // 2 x 2 screen, palette black, red, green, blue; frame of 2 x 1 at (0, 1): indices 1, 3, of which 3 is transparent.
        byte[] gif =
        [
            .. "GIF89a"u8, 2, 0, 2, 0, 0x81, 0, 0, 0, 0, 0, 255, 0, 0, 0, 255, 0, 0, 0, 255,
            0x21, 0xF9, 4, 1, 0, 0, 3, 0,
            0x2C, 0, 0, 1, 0, 2, 0, 1, 0, 0, 2, 2, 0b1100_1100, 0b0000_1010, 0, 0x3B,
        ];
        RgbImage image = ImageDecoder.Decode(gif, "tiny.gif", ImageLimits.Default);
        Assert.Equal<byte>([0, 0, 255, 0, 0, 255, 255, 0, 0, 0, 0, 255], image.Pixels.ToArray());
    }

    [Fact]
    public void A_bmp_with_the_top_row_first_and_masks_is_read()
    {
        byte[] bmp = [.. BmpHeader(2, -1), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        Array.Resize(ref bmp, 70);
        bmp[10] = 66;
        bmp[28] = 16;
        bmp[30] = 3;
        BinaryPrimitives.WriteUInt32LittleEndian(bmp.AsSpan(54), 0xF800);
        BinaryPrimitives.WriteUInt32LittleEndian(bmp.AsSpan(58), 0x07E0);
        BinaryPrimitives.WriteUInt32LittleEndian(bmp.AsSpan(62), 0x001F);
        BinaryPrimitives.WriteUInt16LittleEndian(bmp.AsSpan(66), 0xF81F);
        BinaryPrimitives.WriteUInt16LittleEndian(bmp.AsSpan(68), 0x07E0);
        Assert.Equal<byte>([255, 0, 255, 0, 255, 0], ImageDecoder.Decode(bmp, "masks.bmp", ImageLimits.Default).Pixels.ToArray());
    }

    public static TheoryData<byte[], string> ForeignFiles => new()
    {
        { [0, 0, 0, 24, .. "ftypheic"u8, 0, 0, 0, 0], "is a HEIC picture, which is not read; convert it to PNG or JPEG" },
        { [0, 0, 0, 24, .. "ftypmif1"u8, 0, 0, 0, 0], "is a HEIC picture" },
        { [0, 0, 0, 32, .. "ftypavif"u8, 0, 0, 0, 0], "is an AVIF picture" },
        { [0xFF, 0x0A, 0x7A, 0x1F], "is a JPEG XL picture" },
        { [0, 0, 0, 12, .. "JXL "u8, 0x0D, 0x0A, 0x87, 0x0A], "is a JPEG XL picture" },
        { [0, 0, 0, 12, .. "jP  "u8, 0x0D, 0x0A, 0x87, 0x0A], "is a JPEG 2000 picture" },
        { Encoding.ASCII.GetBytes("<!DOCTYPE html><html>"), "is a web page" },
        { Encoding.ASCII.GetBytes("<svg xmlns='x'>"), "is an SVG drawing" },
        { Encoding.ASCII.GetBytes("version https://git-lfs.github.com/spec/v1\n"), "is a pointer of Git LFS" },
        { Encoding.ASCII.GetBytes("%PDF-1.7"), "is a PDF document" },
        { Encoding.ASCII.GetBytes("P6\n2 2\n255\n"), "is a PNM picture" },
    };

    [Theory]
    [MemberData(nameof(ForeignFiles))]
    public void Formats_that_are_not_read_are_named(byte[] bytes, string reason) => Refused(bytes, reason);

    [Fact]
    public void A_jpeg_with_arithmetic_coding_is_named()
    {
        byte[] jpeg = PillowPicture.Read("jpeg-gray.jpg").Bytes;
        int frame = jpeg.AsSpan().IndexOf((ReadOnlySpan<byte>)[0xFF, 0xC0]);
        jpeg[frame + 1] = 0xC9;
        Refused(jpeg, "baseline and progressive Huffman coding are read, found arithmetic coding");
    }

    [Fact]
    public void A_pipe_is_read_to_its_end_and_to_a_limit()
    {
        byte[] png = File.ReadAllBytes(TestPaths.Golden("images/rgb-33x33.png"));
        using MemoryStream stream = new(png);
        Assert.Equal(png, ImageFile.Read(stream, "pipe", ImageLimits.Default));
        stream.Position = 0;
        Assert.Contains("more than 1000 bytes", Assert.Throws<ImageException>(() => ImageFile.Read(stream, "pipe", new(100, 1000))).Message, StringComparison.Ordinal);
        Assert.Contains("empty", Assert.Throws<ImageException>(() => ImageFile.Read(Stream.Null, "pipe", ImageLimits.Default)).Message, StringComparison.Ordinal);
    }

    private static void Refused(byte[] bytes, string reason)
    {
        ImageException error = Assert.Throws<ImageException>(() => ImageDecoder.Decode(bytes, $"test of {reason}", ImageLimits.Default));
        Assert.Contains(reason, error.Message, StringComparison.Ordinal);
    }

    private static byte[] PngHeader(uint width, uint height)
    {
        byte[] bytes = new byte[33];
        byte[] start = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A, 0, 0, 0, 13, .. "IHDR"u8];
        start.CopyTo(bytes, 0);
        BinaryPrimitives.WriteUInt32BigEndian(bytes.AsSpan(16), width);
        BinaryPrimitives.WriteUInt32BigEndian(bytes.AsSpan(20), height);
        bytes[24] = 8;
        bytes[25] = 2;
        return bytes;
    }

    private static byte[] BmpHeader(int width, int height)
    {
        byte[] bytes = new byte[54];
        "BM"u8.CopyTo(bytes);
        bytes[10] = 54;
        bytes[14] = 40;
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(18), width);
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(22), height);
        bytes[26] = 1;
        bytes[28] = 24;
        return bytes;
    }
}
