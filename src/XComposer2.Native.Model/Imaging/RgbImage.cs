using System.Buffers.Binary;
using System.Security.Cryptography;

namespace XComposer2.Native.Model;

/// <summary>A picture in memory: 8-bit red, green, blue, interleaved, rows from the top, no padding between rows.</summary>
public sealed class RgbImage
{
    /// <summary>Wraps <paramref name="pixels"/>, which the picture owns from here on.</summary>
    /// <param name="width">Columns, at least 1.</param>
    /// <param name="height">Rows, at least 1.</param>
    /// <param name="pixels">[height, width, 3], exactly that long.</param>
    public RgbImage(int width, int height, byte[] pixels)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(width, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(height, 1);
        ArgumentNullException.ThrowIfNull(pixels);
        if (pixels.LongLength != 3L * width * height)
            throw new ArgumentException($"{width} x {height} RGB pixels are {3L * width * height} bytes, found {pixels.LongLength}", nameof(pixels));
        Width = width;
        Height = height;
        Pixels = pixels;
    }

    /// <summary>Columns.</summary>
    public int Width { get; }

    /// <summary>Rows.</summary>
    public int Height { get; }

    /// <summary>[height, width, 3]; not to be changed by readers.</summary>
    public ReadOnlyMemory<byte> Pixels { get; }
}

/// <summary>Names a picture by what the vision tower sees of it: equal pixels and equal mode give equal hashes, whatever file they came in. Four words: code with
/// <see cref="UInt128"/> is not compiled ahead of time, and would cost a program that starts milliseconds.</summary>
/// <param name="A">The first 8 bytes, big-endian.</param>
/// <param name="B">The next.</param>
/// <param name="C">The next.</param>
/// <param name="D">The last.</param>
public sealed record ImageContentHash(ulong A, ulong B, ulong C, ulong D)
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
        return new(
            BinaryPrimitives.ReadUInt64BigEndian(digest),
            BinaryPrimitives.ReadUInt64BigEndian(digest[8..]),
            BinaryPrimitives.ReadUInt64BigEndian(digest[16..]),
            BinaryPrimitives.ReadUInt64BigEndian(digest[24..]));
    }

    /// <summary>64 hexadecimal digits.</summary>
    public override string ToString() => $"{A:x16}{B:x16}{C:x16}{D:x16}";
}
