using System.Buffers.Binary;
using System.Security.Cryptography;
using XComposer2.Native.Composition.Pictures;
using Xunit;

namespace XComposer2.Native.UnitTests;

public class IndexFormatTests
{
    private const int CountOffset = 8 + 32;

    private static List<PictureRecord> Records =>
    [
        new(new FoundPicture("a/b.png", 123, 456), ContentHash.Of("b"u8), Features(1), "", null),
        new(new FoundPicture("猫.jpg", long.MaxValue, -1), ContentHash.Of("c"u8), Features(2), "a cat", ["一只猫", "a cat"]),
        new(new FoundPicture("z.gif", 0, 0), ContentHash.Of("d"u8), Features(3), "", []),
    ];

    [Fact]
    public void Records_round_trip()
    {
        List<PictureRecord> read = IndexFormat.Read(IndexFormat.Write("model", Records), "model");
        Assert.Equal(Records.Select(Describe), read.Select(Describe));
        Assert.Empty(IndexFormat.Read(IndexFormat.Write("model", []), "model"));
    }

    [Fact]
    public void Index_of_another_model_is_rejected() =>
        Assert.Contains("another model", Assert.Throws<InvalidDataException>(() => IndexFormat.Read(IndexFormat.Write("one", Records), "two")).Message, StringComparison.Ordinal);

    [Fact]
    public void Every_truncation_and_modified_byte_is_detected()
    {
        byte[] whole = IndexFormat.Write("model", Records);
        for (int length = 0; length < whole.Length; length++)
        {
            byte[] cut = whole[..length];
            Assert.Throws<InvalidDataException>(() => IndexFormat.Read(cut, "model"));
            cut = [.. whole];
            cut[length] ^= 0x10;
            Assert.Throws<InvalidDataException>(() => IndexFormat.Read(cut, "model"));
        }
    }

    [Fact]
    public void Huge_record_count_allocates_nothing()
    {
        byte[] claimed = IndexFormat.Write("model", Records);
        BinaryPrimitives.WriteInt32LittleEndian(claimed.AsSpan(CountOffset), int.MaxValue);
        Seal(claimed);
        long before = GC.GetAllocatedBytesForCurrentThread();
        Assert.Throws<InvalidDataException>(() => IndexFormat.Read(claimed, "model"));
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 100_000);
    }

    [Fact]
    public void Forged_indices_with_a_valid_checksum_are_read_or_rejected()
    {
        byte[] whole = IndexFormat.Write("model", Records);
        Random random = new(9);
        int refused = 0;
        for (int round = 0; round < 5000; round++)
        {
            byte[] forged = [.. whole];
            for (int change = 1 + random.Next(4); change > 0; change--)
                forged[random.Next(CountOffset, forged.Length - 32)] = random.Next(3) switch { 0 => 0xFF, 1 => 0, _ => (byte)random.Next(256) };
            Seal(forged);
            try
            {
                Assert.InRange(IndexFormat.Read(forged, "model").Count, 0, 3);
            }
            catch (InvalidDataException)
            {
                refused++;
            }
        }

        Assert.InRange(refused, 100, 4999);
    }

    [Fact]
    public void Duplicate_picture_is_rejected() =>
        Assert.Throws<InvalidDataException>(() => IndexFormat.Read(IndexFormat.Write("model", [Records[0], Records[0]]), "model"));

    internal static void Seal(byte[] index) => SHA256.HashData(index.AsSpan(..^32)).CopyTo(index.AsSpan(^32));

    private static sbyte[] Features(int seed) => [.. Enumerable.Range(0, CompactFeatures.Length).Select(index => unchecked((sbyte)(index * 37 * seed)))];

    private static string Describe(PictureRecord record) =>
        $"{record.File} {record.Hash} {string.Join(',', record.Features)} {record.Metadata} {(record.Captions is { } captions ? string.Join('|', captions) + captions.Count : "none")}";
}
