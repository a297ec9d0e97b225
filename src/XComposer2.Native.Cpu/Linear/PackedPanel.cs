using System.Runtime.CompilerServices;

namespace XComposer2.Native.Cpu;

/// <summary>
/// Some rows of weights, widened and transposed, as the tiles read them: one plane per running sum of <see cref="SummationOrder"/>, in it
/// [steps, 3 vectors of outputs]. Does not own its memory.
/// </summary>
internal readonly unsafe struct PackedPanel
{
    private const int LineBytes = 64;

    private const int QuadBytes = 16;

    private const int LineQuads = LineBytes / QuadBytes;

    private const int StagePitch = LineBytes + QuadBytes;

    // The hardware follows a few streams, not one per row. Into the second cache: rows a power of two apart would drive each other out of the first.
    private const int PrefetchBytes = 6 * LineBytes;

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

    /// <summary>Packs rows <paramref name="first"/> to first + <paramref name="count"/>; columns beyond them hold anything, and so do their sums.</summary>
    public void Pack<TSimd, TVector>(in WeightMatrix weights, int first, int count)
        where TSimd : struct, ISimd<TVector>
        where TVector : struct
    {
        var use = new Use<TSimd, TVector>(this, weights, first, count);
        WeightElements.Select(weights.Format, ref use);
    }

    private void Pack<TSimd, TVector, TElement>(in WeightMatrix weights, int first, int count)
        where TSimd : struct, ISimd<TVector>
        where TVector : struct
        where TElement : struct, IStoredElement
    {
        byte* stage = stackalloc byte[SummationOrder.Lanes * StagePitch];
        nint rowBytes = weights.Columns * (nint)TElement.Bytes;
        byte* source = (byte*)weights.Elements + (first * rowBytes);
        nint quads = steps * (nint)TElement.Bytes;
        for (int column = 0; column < columns; column += TSimd.Count)
        {
            for (nint quad = 0; quad < quads; quad += LineQuads)
            {
                nint offset = quad * QuadBytes;
                int bytes = (int)Math.Min(LineBytes, rowBytes - offset);
                int lineQuads = (int)Math.Min(LineQuads, quads - quad);
                Stage<TSimd, TVector>(source + (column * rowBytes) + offset, rowBytes, Math.Min(TSimd.Count, count - column), bytes, stage);
                int step = (int)(offset / TElement.Bytes / SummationOrder.Lanes);
                Transpose<TSimd, TVector, TElement>(stage, lineQuads, data + ((nint)step * columns) + column);
            }
        }
    }

    // Elements that become floats one by one are transposed as floats: a cache line of them is one step.
    private void PackWidened<TSimd, TVector, TElement>(in WeightMatrix weights, int first, int count)
        where TSimd : struct, ISimd<TVector>
        where TVector : struct
        where TElement : struct, IWidenedElement
    {
        byte* stage = stackalloc byte[SummationOrder.Lanes * StagePitch];
        for (int column = 0; column < columns; column += TSimd.Count)
        {
            int rows = Math.Min(TSimd.Count, count - column);
            for (int step = 0; step < steps; step++)
            {
                int input = step * SummationOrder.Lanes;
                int inputs = Math.Min(SummationOrder.Lanes, weights.Columns - input);
                for (int row = 0; row < rows; row++)
                {
                    float* line = (float*)(stage + (row * StagePitch));
                    TElement.Widen(weights, first + column + row, input, inputs, line);
                    new Span<float>(line + inputs, SummationOrder.Lanes - inputs).Clear();
                }

                Transpose<TSimd, TVector, SingleElement>(stage, LineQuads, data + ((nint)step * columns) + column);
            }
        }
    }

    /// <summary>Copies one cache line of each row to where lines do not fight for a place in the cache, as rows a power of two apart do.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Stage<TSimd, TVector>(byte* source, nint rowBytes, int rows, int bytes, byte* stage)
        where TSimd : struct, ISimd<TVector>
        where TVector : struct
    {
        for (int row = 0; row < rows; row++)
        {
            if (bytes == LineBytes)
            {
                Prefetch.Far(source + PrefetchBytes);
                for (int i = 0; i < LineBytes; i += TSimd.Count * sizeof(float))
                    TSimd.Store(TSimd.Load((float*)(source + i)), (float*)(stage + i));
            }
            else
            {
                var line = new Span<byte>(stage, LineBytes);
                line.Clear();
                if (bytes > 0)
                    new ReadOnlySpan<byte>(source, bytes).CopyTo(line);
            }

            source += rowBytes;
            stage += StagePitch;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Transpose<TSimd, TVector, TElement>(byte* stage, int quads, float* destination)
        where TSimd : struct, ISimd<TVector>
        where TVector : struct
        where TElement : struct, IStoredElement
    {
        nint plane = planeFloats;
        float* lane = destination;
        for (int quad = 0; quad < quads; quad++)
        {
            TVector row0 = TSimd.LoadQuads(stage, 4 * StagePitch);
            TVector row1 = TSimd.LoadQuads(stage + StagePitch, 4 * StagePitch);
            TVector row2 = TSimd.LoadQuads(stage + (2 * StagePitch), 4 * StagePitch);
            TVector row3 = TSimd.LoadQuads(stage + (3 * StagePitch), 4 * StagePitch);
            Transposition.Quads<TSimd, TVector>(ref row0, ref row1, ref row2, ref row3);
            lane = Spread<TSimd, TVector, TElement>(row0, lane, plane);
            lane = Spread<TSimd, TVector, TElement>(row1, lane, plane);
            lane = Spread<TSimd, TVector, TElement>(row2, lane, plane);
            lane = Spread<TSimd, TVector, TElement>(row3, lane, plane);
            stage += QuadBytes;
            if ((quad + 1) * 4 * TElement.PerWord % SummationOrder.Lanes == 0)
            {
                destination += columns;
                lane = destination;
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static float* Spread<TSimd, TVector, TElement>(TVector words, float* lane, nint plane)
        where TSimd : struct, ISimd<TVector>
        where TVector : struct
        where TElement : struct, IStoredElement
    {
        TSimd.Store(TElement.OfWord<TSimd, TVector>(words, 0), lane);
        if (TElement.PerWord == 1)
            return lane + plane;
        lane += plane;
        TSimd.Store(TElement.OfWord<TSimd, TVector>(words, 1), lane);
        if (TElement.PerWord == 2)
            return lane + plane;
        lane += plane;
        TSimd.Store(TElement.OfWord<TSimd, TVector>(words, 2), lane);
        lane += plane;
        TSimd.Store(TElement.OfWord<TSimd, TVector>(words, 3), lane);
        return lane + plane;
    }

    private readonly struct Use<TSimd, TVector>(PackedPanel panel, WeightMatrix weights, int first, int count) : IElementUse
        where TSimd : struct, ISimd<TVector>
        where TVector : struct
    {
        public void Stored<TElement>()
            where TElement : struct, IStoredElement => panel.Pack<TSimd, TVector, TElement>(weights, first, count);

        public void Widened<TElement>()
            where TElement : struct, IWidenedElement => panel.PackWidened<TSimd, TVector, TElement>(weights, first, count);
    }
}
