using System.Buffers.Binary;

namespace XComposer2.Native.UnitTests;

/// <summary>Damages bytes reproducibly: flips, interesting numbers, pieces taken out, doubled, moved, and tokens put in.</summary>
internal sealed class ByteMutator(int seed, IReadOnlyList<byte[]> tokens)
{
    private static readonly long[] Numbers = [0, 1, -1, 2, 3, 4, 7, 8, 127, 128, 255, 256, short.MaxValue, ushort.MaxValue, int.MaxValue, uint.MaxValue, 1L << 32, long.MaxValue, long.MinValue, long.MaxValue - 7];

    private readonly Random random = new(seed);

    /// <summary>Copies <paramref name="source"/> into <paramref name="target"/> with 1 to 4 mutations between <paramref name="from"/> and the end.</summary>
    /// <returns>The new length, at most that of <paramref name="target"/>.</returns>
    public int Mutate(ReadOnlySpan<byte> source, int from, byte[] target)
    {
        source.CopyTo(target);
        int length = source.Length;
        for (int i = random.Next(1, 5); i > 0 && length > from + 1; i--)
            length = Once(target, from, length);
        return length;
    }

    private int Once(byte[] bytes, int from, int length)
    {
        int at = random.Next(from, length);
        int run = Math.Min(length - at, 1 + random.Next(random.Next(1, 64)));
        switch (random.Next(9))
        {
            case 0:
                bytes[at] ^= (byte)(1 << random.Next(8));
                return length;
            case 1:
                bytes[at] = (byte)random.Next(256);
                return length;
            case 2:
                Span<byte> number = stackalloc byte[8];
                BinaryPrimitives.WriteInt64LittleEndian(number, Numbers[random.Next(Numbers.Length)]);
                int width = Math.Min(1 << random.Next(4), length - at);
                number[..width].CopyTo(bytes.AsSpan(at));
                return length;
            case 3:
                bytes.AsSpan(at + run, length - at - run).CopyTo(bytes.AsSpan(at));
                return length - run;
            case 4:
                return random.Next(8) == 0 ? at : length;
            case 5:
                return Insert(bytes, at, length, bytes.AsSpan(at, run).ToArray());
            case 6:
                int other = random.Next(from, length);
                return Insert(bytes, at, length, bytes.AsSpan(other, Math.Min(run, length - other)).ToArray());
            case 7:
                return Insert(bytes, at, length, System.Text.Encoding.ASCII.GetBytes($"{Numbers[random.Next(Numbers.Length)]}"));
            default:
                return Insert(bytes, at, length, tokens[random.Next(tokens.Count)]);
        }
    }

    private static int Insert(byte[] bytes, int at, int length, byte[] piece)
    {
        if (length + piece.Length > bytes.Length)
            return length;
        bytes.AsSpan(at, length - at).CopyTo(bytes.AsSpan(at + piece.Length));
        piece.CopyTo(bytes.AsSpan(at));
        return length + piece.Length;
    }
}
