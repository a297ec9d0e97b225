using System.Buffers.Binary;
using System.IO.Compression;
using Xunit;
using XComposer2.Native.Model;

namespace XComposer2.Native.UnitTests;

/// <summary>Every colour type, depth and interlacing, against a small encoder that knows nothing of the decoder.</summary>
public class PngLayoutTests
{
    private static readonly (int Left, int Top, int StepX, int StepY)[] Adam7 =
        [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)];

    public static TheoryData<int, int, bool> Layouts()
    {
        TheoryData<int, int, bool> layouts = [];
        foreach ((int type, int depth) in new[] { (0, 1), (0, 2), (0, 4), (0, 8), (0, 16), (2, 8), (2, 16), (3, 1), (3, 2), (3, 4), (3, 8), (4, 8), (4, 16), (6, 8), (6, 16) })
        {
            layouts.Add(type, depth, false);
            layouts.Add(type, depth, true);
        }
        return layouts;
    }

    [Theory]
    [MemberData(nameof(Layouts))]
    public void Reads(int type, int depth, bool interlaced)
    {
        foreach ((int width, int height) in new[] { (1, 1), (3, 5), (13, 9), (33, 2) })
        {
            int samples = type switch { 2 => 3, 4 => 2, 6 => 4, _ => 1 };
            Random random = new(type * 100 + depth + width);
            int[] values = [.. Enumerable.Range(0, width * height * samples).Select(_ => random.Next(1 << depth))];
            byte[] palette = new byte[3 << Math.Min(depth, 8)];
            random.NextBytes(palette);
            byte[] expected = new byte[3 * width * height];
            for (int pixel = 0; pixel < width * height; pixel++)
                for (int channel = 0; channel < 3; channel++)
                {
                    int value = values[pixel * samples + (samples >= 3 ? channel : 0)];
                    expected[3 * pixel + channel] = (byte)(type == 3 ? palette[3 * value + channel] : depth == 16 ? value >> 8 : value * 255 / ((1 << depth) - 1));
                }
            byte[] file = Encode(width, height, type, depth, interlaced, values, samples, palette, extraBytes: 0);
            Assert.Equal(expected, ImageDecoder.Decode(file, "made.png", ImageLimits.Default).Pixels.ToArray());
        }
    }

    [Fact]
    public void A_bomb_is_not_inflated_beyond_the_picture()
    {
        byte[] file = Encode(1, 1, 2, 8, false, [1, 2, 3], 3, [], extraBytes: 200_000_000);
        long before = GC.GetAllocatedBytesForCurrentThread();
        Assert.Equal<byte>([1, 2, 3], ImageDecoder.Decode(file, "bomb.png", ImageLimits.Default).Pixels.ToArray());
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1 << 20);
    }

    [Theory]
    [InlineData("IHDR", true)]
    [InlineData("PLTE", true)]
    [InlineData("IDAT", false)]
    [InlineData("IEND", false)]
    public void A_broken_checksum_matters_for_header_and_palette_only(string kind, bool isRefused)
    {
        byte[] file = Encode(1, 1, 3, 8, false, [1], 1, [1, 2, 3, 4, 5, 6], extraBytes: 0);
        int content = file.AsSpan().LastIndexOf(System.Text.Encoding.ASCII.GetBytes(kind)) + 4;
        int length = BinaryPrimitives.ReadInt32BigEndian(file.AsSpan(content - 8));
        file[content + length] ^= 1;
        if (isRefused) Assert.Contains("checksum", Assert.Throws<ImageException>(() => ImageDecoder.Decode(file, "x.png", ImageLimits.Default)).Message, StringComparison.Ordinal);
        else Assert.Equal<byte>([4, 5, 6], ImageDecoder.Decode(file, "x.png", ImageLimits.Default).Pixels.ToArray());
    }

    [Fact]
    public void A_written_picture_is_read_back()
    {
        byte[] pixels = new byte[3 * 13 * 7];
        new Random(3).NextBytes(pixels);
        RgbImage read = ImageDecoder.Decode(PngEncoder.Encode(new RgbImage(13, 7, pixels)), "made.png", ImageLimits.Default);
        Assert.Equal((13, 7), (read.Width, read.Height));
        Assert.Equal(pixels, read.Pixels.ToArray());
    }

    private static byte[] Encode(int width, int height, int type, int depth, bool interlaced, int[] values, int samples, byte[] palette, int extraBytes)
    {
        using MemoryStream data = new();
        using (ZLibStream zlib = new(data, CompressionLevel.Fastest, leaveOpen: true))
        {
            foreach ((int left, int top, int stepX, int stepY) in interlaced ? Adam7 : [(0, 0, 1, 1)])
                for (int y = top; y < height; y += stepY)
                {
                    List<bool> bits = [];
                    for (int x = left; x < width; x += stepX)
                        for (int sample = 0; sample < samples; sample++)
                            for (int bit = depth - 1; bit >= 0; bit--) bits.Add((values[(y * width + x) * samples + sample] >> bit & 1) != 0);
                    if (bits.Count == 0) continue;
                    byte[] row = new byte[(bits.Count + 7) / 8 + 1];
                    for (int bit = 0; bit < bits.Count; bit++) if (bits[bit]) row[1 + bit / 8] |= (byte)(128 >> bit % 8);
                    zlib.Write(row);
                }
            byte[] zeros = new byte[1 << 20];
            for (int left = extraBytes; left > 0; left -= zeros.Length) zlib.Write(zeros.AsSpan(0, Math.Min(left, zeros.Length)));
        }
        byte[] header = [0, 0, 0, 0, 0, 0, 0, 0, (byte)depth, (byte)type, 0, 0, (byte)(interlaced ? 1 : 0)];
        BinaryPrimitives.WriteInt32BigEndian(header, width);
        BinaryPrimitives.WriteInt32BigEndian(header.AsSpan(4), height);
        byte[] packed = data.ToArray();
        return
        [
            0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A,
            .. Chunk("IHDR"u8, header), .. type == 3 ? Chunk("PLTE"u8, palette) : [],
            .. Chunk("IDAT"u8, packed[..(packed.Length / 2)]), .. Chunk("IDAT"u8, packed[(packed.Length / 2)..]), .. Chunk("IEND"u8, []),
        ];
    }

    private static byte[] Chunk(ReadOnlySpan<byte> kind, byte[] content)
    {
        byte[] chunk = new byte[12 + content.Length];
        BinaryPrimitives.WriteInt32BigEndian(chunk, content.Length);
        kind.CopyTo(chunk.AsSpan(4));
        content.CopyTo(chunk, 8);
        uint crc = uint.MaxValue;
        foreach (byte value in chunk.AsSpan(4, 4 + content.Length))
        {
            crc ^= value;
            for (int bit = 0; bit < 8; bit++) crc = (crc & 1) != 0 ? 0xEDB88320 ^ crc >> 1 : crc >> 1;
        }
        BinaryPrimitives.WriteUInt32BigEndian(chunk.AsSpan(8 + content.Length), ~crc);
        return chunk;
    }
}
