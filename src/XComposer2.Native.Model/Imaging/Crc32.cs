using System.Runtime.CompilerServices;

namespace XComposer2.Native.Model;

/// <summary>The checksum that PNG puts behind each chunk (polynomial 0xEDB88320, bits reversed).</summary>
internal static class Crc32
{
    private static readonly uint[] Table = CreateTable();

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static uint Of(ReadOnlySpan<byte> bytes)
    {
        uint[] table = Table;
        uint crc = uint.MaxValue;
        foreach (byte value in bytes) crc = table[(crc ^ value) & 0xFF] ^ crc >> 8;
        return ~crc;
    }

    private static uint[] CreateTable()
    {
        uint[] table = new uint[256];
        for (uint index = 0; index < table.Length; index++)
        {
            uint value = index;
            for (int bit = 0; bit < 8; bit++) value = (value & 1) != 0 ? 0xEDB88320 ^ value >> 1 : value >> 1;
            table[index] = value;
        }
        return table;
    }
}
