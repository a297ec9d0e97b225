using System.Buffers.Binary;
using Xunit;
using XComposer2.Native.Model;

namespace XComposer2.Native.UnitTests;

public class ImageFuzzTests
{
    private static readonly ImageLimits SmallLimits = new(1_000_000, 1 << 20);

    [Theory]
    [InlineData("rgb-33x33.png")]
    [InlineData("palette-128x96.png")]
    [InlineData("gray-alpha-123x77.png")]
    [InlineData("gif-100x70.gif")]
    [InlineData("bmp-90x60.bmp")]
    [InlineData("jpeg-progressive.jpg")]
    [InlineData("jpeg-gray.jpg")]
    [InlineData("webp-q80.webp")]
    [InlineData("webp-lossless-3.webp")]
    [InlineData("webp-lossless-12-colors.webp")]
    [InlineData("webp-animated.webp")]
    [InlineData("tiff-rgb-big-endian.tif")]
    [InlineData("tiff-bits-g3-2d.tif")]
    [InlineData("tiff-bits-g4-tiles.tif")]
    [InlineData("tiff-palette-zip.tif")]
    [InlineData("tiff-jpeg.tif")]
    [InlineData("tiff-inks-planar.tif")]
    [InlineData("bmp-run-length.bmp")]
    [InlineData("jpeg-1x1_2x2_2x2-progressive-restart.jpg")]
    public void Damaged_pictures_give_a_picture_or_one_clear_refusal(string file)
    {
        string path = Path.Combine(TestPaths.Golden("images"), file);
        byte[] original = File.Exists(path) ? File.ReadAllBytes(path) : PillowPicture.Read(file).Bytes;
        int rounds = int.TryParse(Environment.GetEnvironmentVariable("XC2_FUZZ_ROUNDS"), out int wanted) ? wanted : 2000;
        Random random = new(20240131 + original.Length);
        int refused = 0;
        for (int round = 0; round < rounds; round++)
        {
            byte[] mutated = Mutate(original, random, file);
            long before = GC.GetAllocatedBytesForCurrentThread();
            try
            {
                RgbImage image = ImageDecoder.Decode(mutated, file, SmallLimits);
                Assert.InRange((long)image.Width * image.Height, 1, SmallLimits.MaxPixels);
            }
            catch (ImageException error)
            {
                Assert.StartsWith(file, error.Message, StringComparison.Ordinal);
                Assert.True(error.InnerException is null or IOException or InvalidDataException, $"round {round}: {error}");
                refused++;
            }
            // Pixels, coefficients or samples beside them, and tables.
            Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 24 * SmallLimits.MaxPixels);
        }
        Assert.InRange(refused, 1, rounds);
    }

    private static byte[] Mutate(byte[] original, Random random, string file)
    {
        byte[] bytes = (byte[])original.Clone();
        // Half of the damage goes to the front, where the headers are.
        int Position() => random.Next(random.Next(2) == 0 ? Math.Min(700, bytes.Length) : bytes.Length);
        int changes = 1 + random.Next(6);
        for (int change = 0; change < changes; change++)
        {
            switch (random.Next(6))
            {
                case 0: bytes[Position()] ^= (byte)(1 << random.Next(8)); break;
                case 1: bytes[Position()] = (byte)random.Next(256); break;
                case 2: bytes[Position()] = random.Next(2) == 0 ? (byte)0 : (byte)0xFF; break;
                case 3: random.NextBytes(bytes.AsSpan(Position())[..1]); break;
                case 4:
                    int from = Position(), to = Position(), length = random.Next(1, 40);
                    length = Math.Min(length, bytes.Length - Math.Max(from, to));
                    bytes.AsSpan(from, length).ToArray().CopyTo(bytes, to);
                    break;
                default:
                    if (random.Next(4) == 0 && bytes.Length > 64) bytes = bytes[..random.Next(64, bytes.Length)];
                    break;
            }
        }
        // Most mutants of a PNG would otherwise end at a checksum.
        if (file.EndsWith(".png", StringComparison.Ordinal) && random.Next(8) != 0) RepairChecksums(bytes);
        return bytes;
    }

    private static void RepairChecksums(byte[] png)
    {
        for (long position = 8; position + 12 <= png.Length;)
        {
            long length = BinaryPrimitives.ReadUInt32BigEndian(png.AsSpan((int)position));
            if (length > png.Length - position - 12) return;
            uint crc = uint.MaxValue;
            foreach (byte value in png.AsSpan((int)position + 4, (int)length + 4))
            {
                crc ^= value;
                for (int bit = 0; bit < 8; bit++) crc = (crc & 1) != 0 ? 0xEDB88320 ^ crc >> 1 : crc >> 1;
            }
            BinaryPrimitives.WriteUInt32BigEndian(png.AsSpan((int)(position + 8 + length)), ~crc);
            position += 12 + length;
        }
    }
}
