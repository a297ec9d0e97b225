using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace XComposer2.Native.Cpu;

/// <summary>
/// Rows of x as 8-bit integers: every 32 inputs of a row share a scale, max |x| / 127, and are rounded to nearest even. Beside each block stands the negative sum of
/// its integers, which zero points multiply. A row depends on nothing but itself. A block with a number that is NaN or infinite has the scale NaN: it is not lost.
/// Does not own its memory.
/// </summary>
/// <remarks>For <see cref="DotInstructions"/> that need it, four activations for 8-bit weights are the 16-bit pairs (0, 2) and (1, 3): what even and odd bytes are multiplied with.</remarks>
internal readonly unsafe struct QuantizedRows
{
    /// <summary>Inputs that share a scale.</summary>
    public const int BlockInputs = 32;

    /// <summary>Four inputs are one word of a vector of weights.</summary>
    public const int StepInputs = 4;

    // Adding it leaves a number of less than 2^22 as an integer in the low bits of the sum, rounded to nearest even.
    private const float RoundingShift = 3 << 22;

    private readonly byte* elements;

    private readonly float* scales;

    private readonly int* negativeSums;

    private readonly int inputs;

    /// <param name="memory">At least <see cref="Floats"/>.</param>
    /// <param name="rows">Rows.</param>
    /// <param name="inputs">Columns of x.</param>
    /// <param name="isWide">Elements are 16-bit pairs.</param>
    public QuantizedRows(float* memory, int rows, int inputs, bool isWide)
    {
        this.inputs = inputs;
        IsWide = isWide;
        Blocks = BlocksOf(inputs);
        scales = memory;
        negativeSums = (int*)(memory + ((nint)rows * Blocks));
        elements = (byte*)(negativeSums + ((nint)rows * Blocks));
    }

    public bool IsWide { get; }

    /// <summary>Blocks of one row; the last one is filled up with zeros.</summary>
    public int Blocks { get; }

    /// <summary>Bytes of the elements of one block.</summary>
    public int BlockBytes => IsWide ? 2 * BlockInputs : BlockInputs;

    public static int BlocksOf(int inputs) => (int)(((long)inputs + BlockInputs - 1) / BlockInputs);

    /// <summary>Floats of memory, for elements of either width.</summary>
    public static long Floats(int rows, int inputs) => checked((long)rows * BlocksOf(inputs) * (2 + (2 * BlockInputs / sizeof(float))));

    /// <summary>Elements of a row.</summary>
    public byte* Row(int row) => elements + ((nint)row * Blocks * BlockBytes);

    /// <summary>Scales of a row's blocks.</summary>
    public float* Scales(int row) => scales + ((nint)row * Blocks);

    /// <summary>For each block, minus the sum of its integers.</summary>
    public int* NegativeSums(int row) => negativeSums + ((nint)row * Blocks);

    /// <param name="row">Which row to write.</param>
    /// <param name="x">[inputs].</param>
    /// <param name="columns">Which column of x stands at each place; null for the order of x.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Quantize(int row, float* x, int* columns)
    {
        float* block = stackalloc float[BlockInputs];
        byte* destination = Row(row);
        float* rowScales = Scales(row);
        int* rowSums = NegativeSums(row);
        for (int index = 0; index < Blocks; index++, destination += BlockBytes)
        {
            int first = index * BlockInputs;
            int count = Math.Min(BlockInputs, inputs - first);
            float* source = x + first;
            if (columns is not null || count < BlockInputs)
            {
                for (int i = 0; i < count; i++)
                    block[i] = x[columns is null ? first + i : columns[first + i]];
                new Span<float>(block + count, BlockInputs - count).Clear();
                source = block;
            }

            Vector256<float> x0 = Vector256.Load(source), x1 = Vector256.Load(source + 8), x2 = Vector256.Load(source + 16), x3 = Vector256.Load(source + 24);
            float largest = Largest(x0, x1, x2, x3);
            float inverse = largest > 0 ? 127 / largest : 0;
            bool isFinite = float.IsFinite(largest) && float.IsFinite(inverse);
            rowScales[index] = float.IsFinite(largest) ? isFinite ? largest / 127 : 0 : float.NaN;
            if (!isFinite)
                inverse = 0;
            Vector256<int> q0 = Steps(x0, inverse), q1 = Steps(x1, inverse), q2 = Steps(x2, inverse), q3 = Steps(x3, inverse);
            rowSums[index] = -Vector256.Sum((q0 + q1) + (q2 + q3));
            if (IsWide)
            {
                StorePairs(q0, (int*)destination);
                StorePairs(q1, (int*)destination + 4);
                StorePairs(q2, (int*)destination + 8);
                StorePairs(q3, (int*)destination + 12);
            }
            else
            {
                Vector256.Narrow(Vector256.Narrow(q0, q1), Vector256.Narrow(q2, q3)).Store((sbyte*)destination);
            }
        }
    }

    // NaN where one is.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static float Largest(Vector256<float> x0, Vector256<float> x1, Vector256<float> x2, Vector256<float> x3)
    {
        // As integers, magnitudes are in the order of the numbers, NaN above all.
        Vector256<int> mask = Vector256.Create(0x7FFFFFFF);
        Vector256<int> most = Vector256.Max(Vector256.Max(x0.AsInt32() & mask, x1.AsInt32() & mask), Vector256.Max(x2.AsInt32() & mask, x3.AsInt32() & mask));
        Vector128<int> four = Vector128.Max(most.GetLower(), most.GetUpper());
        return BitConverter.Int32BitsToSingle(Math.Max(Math.Max(four[0], four[1]), Math.Max(four[2], four[3])));
    }

    // |x| * (127 / max) is at most 127 and a rounding, so that the nearest integer is at most 127. Where the scale is none, NaN times 0 would be anything.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<int> Steps(Vector256<float> x, float inverse)
    {
        if (inverse == 0)
            return Vector256<int>.Zero;
        Vector256<float> shift = Vector256.Create(RoundingShift);
        return ((x * Vector256.Create(inverse)) + shift).AsInt32() - shift.AsInt32();
    }

    // Of each four integers, 16 bits each: 0 and 2, then 1 and 3.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void StorePairs(Vector256<int> eight, int* destination)
    {
        Vector256<int> lower = Vector256.Shuffle(eight, Vector256.Create(0, 1, 4, 5, 0, 1, 4, 5)), upper = Vector256.Shuffle(eight, Vector256.Create(2, 3, 6, 7, 2, 3, 6, 7));
        ((lower.GetLower() & Vector128.Create(0xFFFF)) | (upper.GetLower() << 16)).Store(destination);
    }
}
