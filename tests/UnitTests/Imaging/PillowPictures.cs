using System.Buffers.Binary;
using System.IO.Compression;
using System.Security.Cryptography;
using System.Text.Json;
using XComposer2.Native.Model;

namespace XComposer2.Native.UnitTests;

/// <summary>A picture of <c>tests/golden/images/formats</c> with hashes of Pillow's results.</summary>
/// <param name="Name">Of the file.</param>
/// <param name="Number">In the list.</param>
/// <param name="Bytes">The file.</param>
/// <param name="Pixels">Hash of size and pixels; empty if Pillow rejects the file.</param>
/// <param name="Upright">Hash after applying the EXIF orientation.</param>
/// <param name="Damaged">Hashes of the mutated copies; "-" if rejected, "?" if not compared.</param>
internal sealed record PillowPicture(string Name, int Number, byte[] Bytes, string Pixels, string Upright, string[] Damaged)
{
    public static List<PillowPicture> ReadAll()
    {
        string folder = TestPaths.Golden("images/formats");
        using ZipArchive pack = ZipFile.OpenRead(Path.Combine(folder, "formats.zip"));
        using JsonDocument document = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(folder, "formats.json")));
        List<PillowPicture> pictures = [];
        foreach (JsonElement entry in document.RootElement.EnumerateArray())
        {
            string name = entry.GetProperty("file").GetString()!;
            using Stream stream = pack.GetEntry(name)!.Open();
            using MemoryStream bytes = new();
            stream.CopyTo(bytes);
            pictures.Add(new(name, pictures.Count, bytes.ToArray(), entry.GetProperty("pixels").GetString()!, entry.GetProperty("upright").GetString()!, entry.GetProperty("damaged").GetString()!.Split(' ')));
        }
        return pictures;
    }

    public static PillowPicture Read(string name) => ReadAll().Single(picture => picture.Name == name);

    /// <summary>The mutated copy of the given round.</summary>
    public byte[] Damage(int round) => PictureDamage.Of(Bytes, (ulong)(1000 * Number + round));

    public static string Hash(RgbImage image)
    {
        byte[] bytes = new byte[8 + image.Pixels.Length];
        BinaryPrimitives.WriteInt32LittleEndian(bytes, image.Width);
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(4), image.Height);
        image.Pixels.Span.CopyTo(bytes.AsSpan(8));
        return Convert.ToHexStringLower(SHA256.HashData(bytes))[..12];
    }
}

/// <summary>Repeats the mutations of <c>tests/golden/images/formats/make.py</c>.</summary>
internal sealed class PictureDamage
{
    private ulong state;

    private PictureDamage(ulong seed) => state = seed;

    public static byte[] Of(byte[] file, ulong seed) => new PictureDamage(seed).Apply([.. file]);

    private byte[] Apply(List<byte> bytes)
    {
        int changes = 1 + Below(3);
        for (int change = 0; change < changes; change++)
        {
            int position = Below(Below(2) != 0 ? Math.Min(700, bytes.Count) : bytes.Count);
            switch (Below(7))
            {
                case 0: bytes[position] ^= (byte)(1 << Below(8)); break;
                case 1: bytes[position] = (byte)Below(256); break;
                case 2: bytes[position] = (byte)(255 * Below(2)); break;
                case 3:
                    int source = Below(bytes.Count), length = 1 + Below(40);
                    length = Math.Min(length, bytes.Count - Math.Max(source, position));
                    byte[] copied = [.. bytes.GetRange(source, length)];
                    for (int index = 0; index < length; index++) bytes[position + index] = copied[index];
                    break;
                case 4:
                    if (Below(3) != 0 || bytes.Count <= 64) break;
                    int end = 64 + Below(bytes.Count - 64);
                    bytes.RemoveRange(end, bytes.Count - end);
                    break;
                case 5:
                    if (bytes.Count > 64) bytes.RemoveRange(position, Math.Min(1 + Below(4), bytes.Count - position));
                    break;
                default:
                    byte[] inserted = new byte[1 + Below(4)];
                    for (int index = 0; index < inserted.Length; index++) inserted[index] = (byte)Below(256);
                    bytes.InsertRange(position, inserted);
                    break;
            }
        }
        return [.. bytes];
    }

    private int Below(int limit)
    {
        state = unchecked(state * 6364136223846793005 + 1442695040888963407);
        return (int)(state >> 33) % limit;
    }
}
