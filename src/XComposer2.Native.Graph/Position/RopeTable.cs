namespace XComposer2.Native.Graph;

/// <summary>Cosines and sines of rotary positions, computed as the original model does: inverse frequencies and angles in fp32.
/// Owns its memory, which does not move; immutable, safe to share between threads.</summary>
public sealed unsafe class RopeTable
{
    private readonly float[] values;

    /// <param name="positions">Positions 0 to positions - 1 can be looked up.</param>
    /// <param name="headSize">Even.</param>
    /// <param name="theta">Base of the wavelengths.</param>
    public RopeTable(int positions, int headSize, float theta)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(positions, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(headSize, 2);
        ArgumentOutOfRangeException.ThrowIfNotEqual(headSize % 2, 0, nameof(headSize));
        if (!float.IsFinite(theta) || theta <= 0)
            throw new ArgumentOutOfRangeException(nameof(theta), theta, "expected a finite number above 0");
        Positions = positions;
        HeadSize = headSize;
        Theta = theta;
        int half = headSize / 2;
        var inverseFrequencies = new float[half];
        for (int i = 0; i < half; i++)
            inverseFrequencies[i] = 1f / (float)Math.Pow(theta, 2 * i / (float)headSize);
        values = GC.AllocateUninitializedArray<float>(checked(positions * headSize), pinned: true);
        for (int position = 0; position < positions; position++)
        {
            Span<float> row = values.AsSpan(position * headSize, headSize);
            for (int i = 0; i < half; i++)
            {
                (double sine, double cosine) = Math.SinCos(position * inverseFrequencies[i]);
                row[i] = (float)cosine;
                row[half + i] = (float)sine;
            }
        }
    }

    public int Positions { get; }

    public int HeadSize { get; }

    public float Theta { get; }

    /// <summary>Head size / 2 cosines of a position, then as many sines. Valid while this object is reachable.</summary>
    public float* Row(int position)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)position, (uint)Positions, nameof(position));
        fixed (float* first = values)
            return first + ((nint)position * HeadSize);
    }
}
