using System.Runtime.CompilerServices;

namespace XComposer2.Native.Cpu;

/// <summary>Panels of a weight of integers as floats, for products with the weight itself in place of its transpose: a panel's rows are the weight's.</summary>
internal static unsafe class IntegerPanels
{
    /// <summary>Writes weights [row .. row + rows, column .. column + count) to <paramref name="panel"/> [rows, columns], zero from count on.</summary>
    public static void Pack<TSimd, TVector>(in WeightMatrix weights, int row, int rows, int column, int count, float* panel, int columns)
        where TSimd : struct, ISimd<TVector>
        where TVector : struct
    {
        var use = new Use<TSimd, TVector>(weights, row, rows, column, count, panel, columns);
        WeightElements.Select(weights.Format, ref use);
    }

    private readonly struct Use<TSimd, TVector>(WeightMatrix weights, int row, int rows, int column, int count, float* panel, int columns) : IElementUse
        where TSimd : struct, ISimd<TVector>
        where TVector : struct
    {
        // Each element takes its row's scale, which a product over rows cannot leave for its end.
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Stored<TElement>()
            where TElement : struct, IStoredElement
        {
            float* tail = stackalloc float[TSimd.Count];
            for (int i = 0; i < rows; i++)
            {
                float* line = panel + ((nint)i * columns);
                byte* source = (byte*)weights.Elements + ((((row + i) * (nint)weights.Columns) + column) * TElement.Bytes);
                TVector scale = TSimd.Broadcast(((float*)weights.Scales)[row + i]);
                int at = 0;
                for (; at <= count - TSimd.Count; at += TSimd.Count)
                    TSimd.Store(TSimd.Multiply(TElement.Load<TSimd, TVector>(source + (at * TElement.Bytes)), scale), line + at);
                if (at < count)
                {
                    new Span<float>(tail, TSimd.Count).Clear();
                    Buffer.MemoryCopy(source + (at * TElement.Bytes), tail, TSimd.Count * sizeof(float), (count - at) * TElement.Bytes);
                    TSimd.Store(TSimd.Multiply(TElement.Load<TSimd, TVector>((byte*)tail), scale), line + at);
                    at += TSimd.Count;
                }

                if (at < columns)
                    new Span<float>(line + at, columns - at).Clear();
            }
        }

        public void Widened<TElement>()
            where TElement : struct, IWidenedElement
        {
            for (int i = 0; i < rows; i++)
            {
                float* line = panel + ((nint)i * columns);
                TElement.Widen(weights, row + i, column, count, line);
                new Span<float>(line + count, columns - count).Clear();
            }
        }
    }
}
