using System.Buffers.Binary;
using System.Diagnostics;
using Xunit;
using XComposer2.Native.Model;

namespace XComposer2.Native.UnitTests;

/// <summary>The cost of decoding is bounded by file size and limits, and decoding can be cancelled.</summary>
public class ImageCostTests
{
    private static readonly byte[] OneUnit = [0, 0];

    [Theory]
    [InlineData(10_000, 10_000, 100)]
    [InlineData(2000, 2000, 100)]
    [InlineData(65_500, 1500, 400)]
    public void A_small_progressive_jpeg_with_many_scans_is_refused_at_once(int width, int height, int scans)
    {
        long start = Stopwatch.GetTimestamp(), before = GC.GetAllocatedBytesForCurrentThread();
        ImageException error = Assert.Throws<ImageException>(() => ImageDecoder.Decode(ProgressiveBomb(width, height, scans), "bomb.jpg", ImageLimits.Default));
        Assert.Contains("cannot hold", error.Message, StringComparison.Ordinal);
        Assert.InRange(Stopwatch.GetElapsedTime(start).TotalSeconds, 0, 2);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1 << 20);
    }

    [Fact]
    public void A_padded_progressive_jpeg_ends_where_its_data_ends()
    {
        // Padding makes the file large enough, but the scans stay empty.
        byte[] bomb = [.. ProgressiveBomb(4000, 4000, 100), .. new byte[200_000]];
        long start = Stopwatch.GetTimestamp();
        Assert.Contains("cut off", Assert.Throws<ImageException>(() => ImageDecoder.Decode(bomb, "bomb.jpg", ImageLimits.Default)).Message, StringComparison.Ordinal);
        Assert.InRange(Stopwatch.GetElapsedTime(start).TotalSeconds, 0, 5);
    }

    [Fact]
    public void The_blocks_that_scans_visit_are_limited()
    {
        // 16 megapixels in 169 true scans: each coefficient bit by bit, a bit of data a block.
        byte[] data = new byte[4000 / 8 * (4000 / 8) / 8 + 8];
        List<byte> file = [0xFF, 0xD8, .. Quantisers(), .. Frame(0xC2, 4000, 4000, 1), .. Huffman(0, 0, 0), .. Huffman(1, 0, 0), .. Scan([1], 0, 0, 0, 0, 0), .. data];
        for (int coefficient = 1; coefficient <= 12; coefficient++)
            for (int bit = 13; bit >= 0; bit--) file.AddRange([.. Scan([1], coefficient, coefficient, bit == 13 ? 0 : bit + 1, bit, 0), .. data]);
        byte[] bomb = [.. file, 0xFF, 0xD9];
        long start = Stopwatch.GetTimestamp();
        Assert.Contains("visit more than 40000000 blocks", Assert.Throws<ImageException>(() => ImageDecoder.Decode(bomb, "bomb.jpg", ImageLimits.Default)).Message, StringComparison.Ordinal);
        Assert.InRange(Stopwatch.GetElapsedTime(start).TotalSeconds, 0, 60);
    }

    [Theory]
    [InlineData("png")]
    [InlineData("gif")]
    [InlineData("webp")]
    [InlineData("tiff")]
    public void A_huge_stated_size_is_not_allocated_for_a_small_file(string format)
    {
        byte[] file = format switch
        {
            "png" => Resized(PngEncoder.Encode(new RgbImage(1, 1, new byte[3])), 16_000),
            "gif" => [.. "GIF89a"u8, 0xFF, 0x3F, 0xFF, 0x3F, 0, 0, 0, 0x2C, 0, 0, 0, 0, 1, 0, 1, 0, 0, 2, 2, 0x44, 1, 0, 0x3B],
            "webp" => [.. "RIFF"u8, 30, 0, 0, 0, .. "WEBPVP8L"u8, 17, 0, 0, 0, 0x2F, 0xFF, 0xFF, 0xFF, 0x0F, .. new byte[13]],
            _ => [.. "II*\0"u8, 8, 0, 0, 0, 2, 0, 0, 1, 4, 0, 1, 0, 0, 0, 0, 60, 0, 0, 1, 1, 4, 0, 1, 0, 0, 0, 0, 60, 0, 0, 0, 0, 0, 0],
        };
        long before = GC.GetAllocatedBytesForCurrentThread();
        Assert.Throws<ImageException>(() => ImageDecoder.Decode(file, $"small.{format}", ImageLimits.Default));
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1 << 20);
    }

    [Fact]
    public void A_photo_of_108_megapixels_is_read_and_one_over_the_memory_limit_is_not()
    {
        byte[] photo = BlankPng(12_000, 9000);
        RgbImage image = ImageDecoder.Decode(photo, "photo.png", ImageLimits.Default);
        Assert.Equal((12_000, 9000), (image.Width, image.Height));
        ImageLimits tight = ImageLimits.Default with { MaxMemoryBytes = 300_000_000 };
        Assert.Contains("needs 324000000 bytes of memory, the limit is 300000000", Assert.Throws<ImageException>(() => ImageDecoder.Decode(photo, "photo.png", tight)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("jpeg")]
    [InlineData("png")]
    public async Task Decoding_stops_within_a_second_of_its_cancellation(string format)
    {
        byte[] file = format == "png" ? BlankPng(16_000, 16_000) : GrayJpeg(16_000, 16_000);
        using CancellationTokenSource stop = new();
        Task decoding = Task.Run(
            () => Assert.ThrowsAny<OperationCanceledException>(() => ImageDecoder.Decode(file, "large", ImageLimits.Default, cancellation: stop.Token)), TestContext.Current.CancellationToken);
        await Task.Delay(50, TestContext.Current.CancellationToken);
        long start = Stopwatch.GetTimestamp();
        await stop.CancelAsync();
        await decoding;
        Assert.InRange(Stopwatch.GetElapsedTime(start).TotalSeconds, 0, 1);
    }

    private static byte[] Resized(byte[] png, int side)
    {
        BinaryPrimitives.WriteInt32BigEndian(png.AsSpan(16), side);
        BinaryPrimitives.WriteInt32BigEndian(png.AsSpan(20), side);
        return png;
    }

    /// <summary>A picture of one colour.</summary>
    private static byte[] BlankPng(int width, int height)
    {
        byte[] header = new byte[13];
        BinaryPrimitives.WriteInt32BigEndian(header, width);
        BinaryPrimitives.WriteInt32BigEndian(header.AsSpan(4), height);
        (header[8], header[9]) = (8, 2);
        using MemoryStream data = new();
        using (System.IO.Compression.ZLibStream zlib = new(data, System.IO.Compression.CompressionLevel.Fastest, leaveOpen: true))
        {
            byte[] row = new byte[1 + 3 * width];
            for (int index = 0; index < height; index++) zlib.Write(row);
        }
        return [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A, .. Chunk("IHDR"u8, header), .. Chunk("IDAT"u8, data.ToArray()), .. Chunk("IEND"u8, [])];
    }

    private static byte[] Chunk(ReadOnlySpan<byte> kind, byte[] content)
    {
        byte[] chunk = new byte[12 + content.Length];
        BinaryPrimitives.WriteInt32BigEndian(chunk, content.Length);
        kind.CopyTo(chunk.AsSpan(4));
        content.CopyTo(chunk, 8);
        BinaryPrimitives.WriteUInt32BigEndian(chunk.AsSpan(8 + content.Length), Crc32.Of(chunk.AsSpan(4, 4 + content.Length)));
        return chunk;
    }

    /// <summary>Sequential, two bits per block: DC difference 0, end of block.</summary>
    internal static byte[] GrayJpeg(int width, int height)
    {
        byte[] data = new byte[width / 8 * (height / 8) / 4];
        return [0xFF, 0xD8, .. Quantisers(), .. Frame(0xC0, width, height, 1), .. Huffman(0, 0, 0), .. Huffman(1, 0, 0), .. Scan([1], 0, 63, 0, 0, 0), .. data, 0xFF, 0xD9];
    }

    private static byte[] ProgressiveBomb(int width, int height, int scans, int components = 3)
    {
        List<byte> file = [0xFF, 0xD8, .. Quantisers(), .. Frame(0xC2, width, height, components), .. Huffman(0, 0, 0), .. Huffman(1, 0, 1), .. Huffman(1, 1, 0)];
        byte[] all = [.. Enumerable.Range(1, components).Select(id => (byte)id)];
        file.AddRange([.. Scan(all, 0, 0, 0, 0, 0), .. OneUnit]);
        int made = 1;
        foreach (byte id in all)
        {
            file.AddRange([.. Scan([id], 1, 63, 0, 1, 0), .. OneUnit]);
            made++;
        }
        for (; made < scans; made++) file.AddRange([.. Scan([all[made % components]], 1, 63, 2, 1, 1), .. OneUnit]);
        return [.. file, 0xFF, 0xD9];
    }

    private static byte[] Segment(byte marker, params byte[] content) => [0xFF, marker, (byte)((content.Length + 2) >> 8), (byte)(content.Length + 2), .. content];

    private static byte[] Quantisers() => Segment(0xDB, [0, .. Enumerable.Repeat((byte)1, 64)]);

    private static byte[] Huffman(int kind, int index, byte symbol) => Segment(0xC4, [(byte)(kind << 4 | index), 1, .. new byte[15], symbol]);

    private static byte[] Frame(byte marker, int width, int height, int components) =>
        Segment(marker, [8, (byte)(height >> 8), (byte)height, (byte)(width >> 8), (byte)width, (byte)components, .. Enumerable.Range(1, components).SelectMany(id => new byte[] { (byte)id, 0x11, 0 })]);

    private static byte[] Scan(byte[] components, int first, int last, int high, int low, int ac) =>
        Segment(0xDA, [(byte)components.Length, .. components.SelectMany(id => new byte[] { id, (byte)ac }), (byte)first, (byte)last, (byte)(high << 4 | low)]);
}
