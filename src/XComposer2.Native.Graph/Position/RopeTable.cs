namespace XComposer2.Native.Graph;

/// <summary>Cosines and sines of rotary positions, computed as the original model does: inverse frequencies and angles in fp32. Blocks of positions are computed when
/// one of them is first looked up, so that a long context costs nothing before it is used. Owns its memory, which does not move; safe to share between threads.</summary>
public sealed unsafe class RopeTable
{
    /// <summary>Positions that are computed together.</summary>
    public const int BlockPositions = 256;

    private readonly float[] inverseFrequencies;
    private readonly float[]?[] blocks;

    /// <param name="positions">Positions 0 to positions - 1 can be looked up.</param>
    /// <param name="headSize">Even.</param>
    /// <param name="theta">Base of the wavelengths.</param>
    public RopeTable(int positions, int headSize, float theta)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(positions, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(headSize, 2);
        ArgumentOutOfRangeException.ThrowIfNotEqual(headSize % 2, 0, nameof(headSize));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(headSize, Array.MaxLength / BlockPositions);
        if (!float.IsFinite(theta) || theta <= 0)
            throw new ArgumentOutOfRangeException(nameof(theta), theta, "expected a finite number above 0");
        Positions = positions;
        HeadSize = headSize;
        Theta = theta;
        inverseFrequencies = new float[headSize / 2];
        for (int i = 0; i < inverseFrequencies.Length; i++)
            inverseFrequencies[i] = 1f / (float)Math.Pow(theta, 2 * i / (float)headSize);
        blocks = new float[]?[((positions - 1) / BlockPositions) + 1];
    }

    public int Positions { get; }

    public int HeadSize { get; }

    public float Theta { get; }

    /// <summary>Bytes of the blocks that are computed.</summary>
    public long AllocatedBytes => blocks.Sum(block => (block?.LongLength ?? 0) * sizeof(float));

    /// <summary>Bytes when every position has been looked up.</summary>
    public static long Bytes(int positions, int headSize) => (long)positions * headSize * sizeof(float);

    /// <summary>Head size / 2 cosines of a position, then as many sines. Valid while this object is reachable.</summary>
    public float* Row(int position)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)position, (uint)Positions, nameof(position));
        (int number, int row) = Math.DivRem(position, BlockPositions);
        fixed (float* first = Volatile.Read(ref blocks[number]) ?? Compute(number))
            return first + ((nint)row * HeadSize);
    }

    // Threads that meet compute the same numbers; one block stays.
    private float[] Compute(int number)
    {
        int first = number * BlockPositions, rows = Math.Min(BlockPositions, Positions - first), half = inverseFrequencies.Length;
        float[] block = GC.AllocateUninitializedArray<float>(rows * HeadSize, pinned: true);
        for (int row = 0; row < rows; row++)
        {
            Span<float> values = block.AsSpan(row * HeadSize, HeadSize);
            for (int i = 0; i < half; i++)
            {
                (double sine, double cosine) = Math.SinCos((first + row) * inverseFrequencies[i]);
                values[i] = (float)cosine;
                values[half + i] = (float)sine;
            }
        }

        return Interlocked.CompareExchange(ref blocks[number], block, null) ?? block;
    }
}
