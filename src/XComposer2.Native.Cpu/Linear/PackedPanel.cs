using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using XComposer2.Native.Graph;

namespace XComposer2.Native.Cpu;

/// <summary>
/// Some rows of weights, widened and transposed, as the tiles read them: one plane per running sum of <see cref="SummationOrder"/>, in it
/// [steps, 3 vectors of outputs]. Does not own its memory.
/// </summary>
internal readonly unsafe struct PackedPanel
{
    private readonly float* data;

    private readonly int columns;

    private readonly int steps;

    private readonly nint planeFloats;

    /// <param name="data">At least <see cref="Floats"/>.</param>
    /// <param name="columns">Outputs of a panel, a multiple of 4.</param>
    /// <param name="inputs">Columns of the weights.</param>
    public PackedPanel(float* data, int columns, int inputs)
    {
        this.data = data;
        this.columns = columns;
        steps = SummationOrder.Steps(inputs);
        planeFloats = Skewed((nint)steps * columns);
    }

    /// <summary>Floats of a panel at any width.</summary>
    public static long Floats(int inputs) =>
        SummationOrder.Lanes * (long)Skewed(checked((nint)SummationOrder.Steps(inputs) * PanelProduct.MostColumns));

    /// <summary>A distance between planes that are written side by side: a multiple of 64 bytes, but never of so many that the same place
    /// of sixteen planes falls into the same few sets of a cache.</summary>
    public static nint Skewed(nint floats)
    {
        const int Line = 16, Page = 64 * Line, Offset = 3 * Line;
        return ((floats - Offset + Page - 1) / Page * Page) + Offset;
    }

    /// <summary>[steps, 3 vectors].</summary>
    public float* Plane(int lane) => data + (lane * planeFloats);

    /// <summary>Packs rows <paramref name="first"/> to first + <paramref name="count"/>; columns beyond repeat the last of them.</summary>
    public void Pack(FloatMatrix weights, int first, int count)
    {
        switch (weights.Type)
        {
            case DType.BF16: Pack<BFloat16Element>(weights, first, count); break;
            case DType.F16: Pack<HalfElement>(weights, first, count); break;
            default: Pack<SingleElement>(weights, first, count); break;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Pack<TElement>(FloatMatrix weights, int first, int count)
        where TElement : struct, IFloatElement
    {
        nint rowBytes = weights.Columns * (nint)TElement.Bytes;
        nint stepBytes = SummationOrder.Lanes * (nint)TElement.Bytes;
        byte* source = (byte*)weights.Data + (first * rowBytes);
        byte* tails = stackalloc byte[4 * SummationOrder.Lanes * sizeof(float)];
        int whole = weights.Columns / SummationOrder.Lanes;
        int tailBytes = weights.Columns % SummationOrder.Lanes * TElement.Bytes;
        for (int step = 0; step < steps; step++)
        {
            float* destination = data + ((nint)step * columns);
            for (int column = 0; column < columns; column += 4)
            {
                byte* row0 = source + (Math.Min(column, count - 1) * rowBytes);
                byte* row1 = source + (Math.Min(column + 1, count - 1) * rowBytes);
                byte* row2 = source + (Math.Min(column + 2, count - 1) * rowBytes);
                byte* row3 = source + (Math.Min(column + 3, count - 1) * rowBytes);
                if (step == whole)
                {
                    row0 = Padded(row0, tailBytes, tails);
                    row1 = Padded(row1, tailBytes, tails + stepBytes);
                    row2 = Padded(row2, tailBytes, tails + (2 * stepBytes));
                    row3 = Padded(row3, tailBytes, tails + (3 * stepBytes));
                }

                Step<TElement>(row0, row1, row2, row3, destination + column);
            }

            source += stepBytes;
        }
    }

    private static byte* Padded(byte* source, int bytes, byte* copy)
    {
        var destination = new Span<byte>(copy, SummationOrder.Lanes * sizeof(float));
        new ReadOnlySpan<byte>(source, bytes).CopyTo(destination);
        destination[bytes..].Clear();
        return copy;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Step<TElement>(byte* row0, byte* row1, byte* row2, byte* row3, float* destination)
        where TElement : struct, IFloatElement
    {
        for (int lane = 0; lane < SummationOrder.Lanes; lane += 4)
        {
            Vector128<float> v0 = TElement.Load<Simd128, Vector128<float>>(row0 + (lane * TElement.Bytes));
            Vector128<float> v1 = TElement.Load<Simd128, Vector128<float>>(row1 + (lane * TElement.Bytes));
            Vector128<float> v2 = TElement.Load<Simd128, Vector128<float>>(row2 + (lane * TElement.Bytes));
            Vector128<float> v3 = TElement.Load<Simd128, Vector128<float>>(row3 + (lane * TElement.Bytes));
            Transposition.FourByFour(ref v0, ref v1, ref v2, ref v3);
            v0.Store(destination);
            v1.Store(destination + planeFloats);
            v2.Store(destination + (2 * planeFloats));
            v3.Store(destination + (3 * planeFloats));
            destination += 4 * planeFloats;
        }
    }
}
