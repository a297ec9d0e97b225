using System.Buffers.Binary;
using System.Security.Cryptography;

namespace XComposer2.Native.Model;

/// <summary>Names a picture by what the vision tower sees of it: equal pixels and equal mode give equal hashes, whatever file they came in.</summary>
public readonly record struct ImageContentHash(UInt128 High, UInt128 Low)
{
    /// <summary>SHA-256 over width, height, mode and pixels.</summary>
    public static ImageContentHash Of(RgbImage image, SquareMode mode)
    {
        ArgumentNullException.ThrowIfNull(image);
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Span<byte> facts = stackalloc byte[12];
        BinaryPrimitives.WriteInt32LittleEndian(facts, image.Width);
        BinaryPrimitives.WriteInt32LittleEndian(facts[4..], image.Height);
        BinaryPrimitives.WriteInt32LittleEndian(facts[8..], (int)mode);
        hash.AppendData(facts);
        hash.AppendData(image.Pixels.Span);
        Span<byte> digest = stackalloc byte[SHA256.HashSizeInBytes];
        hash.GetHashAndReset(digest);
        return new(BinaryPrimitives.ReadUInt128BigEndian(digest), BinaryPrimitives.ReadUInt128BigEndian(digest[16..]));
    }

    /// <summary>64 hexadecimal digits.</summary>
    public override string ToString() => $"{High:x32}{Low:x32}";
}
