using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace XComposer2.Native.Cuda;

/// <summary>
/// An entry's file: magic, key, checksum of what follows it, lengths of log and image, log, image. Any other byte anywhere makes it no entry.
/// </summary>
internal static class CubinEntry
{
    private const int ChecksumStart = 8 + CubinKey.HashBytes;
    private const int LengthsStart = ChecksumStart + SHA256.HashSizeInBytes;
    private const int BodyStart = LengthsStart + (2 * sizeof(int));

    private static ReadOnlySpan<byte> Magic => "xc2cub1\n"u8;

    public static byte[] Write(CubinKey key, CompiledKernel kernel)
    {
        byte[] log = Encoding.UTF8.GetBytes(kernel.Log);
        byte[] file = new byte[BodyStart + log.Length + kernel.Image.Length];
        Magic.CopyTo(file);
        key.Hash.CopyTo(file.AsSpan(Magic.Length));
        BinaryPrimitives.WriteInt32LittleEndian(file.AsSpan(LengthsStart), log.Length);
        BinaryPrimitives.WriteInt32LittleEndian(file.AsSpan(LengthsStart + sizeof(int)), kernel.Image.Length);
        log.CopyTo(file, BodyStart);
        kernel.Image.Span.CopyTo(file.AsSpan(BodyStart + log.Length));
        SHA256.HashData(file.AsSpan(LengthsStart), file.AsSpan(ChecksumStart, SHA256.HashSizeInBytes));
        return file;
    }

    /// <summary>Null where the file is damaged or another's.</summary>
    public static CompiledKernel? Read(CubinKey key, byte[] file)
    {
        if (file.Length < BodyStart || !file.AsSpan().StartsWith(Magic)) return null;
        if (!key.Hash.SequenceEqual(file.AsSpan(Magic.Length, CubinKey.HashBytes))) return null;
        Span<byte> checksum = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(file.AsSpan(LengthsStart), checksum);
        if (!checksum.SequenceEqual(file.AsSpan(ChecksumStart, SHA256.HashSizeInBytes))) return null;
        // The checksum holds, so the lengths are those that were written.
        int logBytes = BinaryPrimitives.ReadInt32LittleEndian(file.AsSpan(LengthsStart));
        return new CompiledKernel(file.AsMemory(BodyStart + logBytes), Encoding.UTF8.GetString(file, BodyStart, logBytes));
    }
}
