using System.Runtime.CompilerServices;
using XComposer2.Native.Graph;

namespace XComposer2.Native.Cpu;

/// <summary>Parts of B as a <see cref="MatrixProduct"/> multiplies them: [steps, columns of a panel], columns beyond the last zero.</summary>
internal static unsafe class ProductPanels
{
    private const int StageFloats = 20, StageSteps = 16;

    /// <summary>From [steps, columns].</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Pack<TSimd, TVector>(in FloatMatrix b, int step, int steps, int firstColumn, int count, float* panel, int columns)
        where TSimd : struct, ISimd<TVector>
        where TVector : struct
    {
        for (int i = 0; i < steps; i++)
        {
            nint at = ((step + i) * (nint)b.Columns) + firstColumn;
            float* row = panel + ((nint)i * columns);
            if (count == columns)
            {
                for (int vector = 0; vector < columns; vector += TSimd.Count)
                    TSimd.Store(FloatLoads.Vector<TSimd, TVector>(b.Data, b.Type, at + vector), row + vector);
                continue;
            }

            FloatLoads.Widen<TSimd, TVector>(b.Data, b.Type, at, row, count);
            new Span<float>(row + count, columns - count).Clear();
        }
    }

    /// <summary>From [columns, steps]: a weight [outputs, inputs] whose outputs are the columns.</summary>
    public static void PackTransposed<TSimd, TVector>(in FloatMatrix b, int step, int steps, int firstColumn, int count, float* panel, int columns)
        where TSimd : struct, ISimd<TVector>
        where TVector : struct
    {
        float* stage = stackalloc float[SummationOrder.Lanes * StageFloats];
        for (int column = 0; column < columns; column += TSimd.Count)
        {
            int rows = Math.Clamp(count - column, 0, TSimd.Count);
            for (int i = 0; i < steps; i += StageSteps)
            {
                int some = Math.Min(StageSteps, steps - i);
                float* to = panel + ((nint)i * columns) + column;
                nint at = ((firstColumn + column) * (nint)b.Columns) + step + i;
                if (rows == TSimd.Count && some == StageSteps && b.Type == DType.F32)
                {
                    Transpose<TSimd, TVector>((byte*)((float*)b.Data + at), b.Columns * (nint)sizeof(float), some, to, columns);
                    continue;
                }

                for (int row = 0; row < TSimd.Count; row++)
                {
                    float* line = stage + (row * StageFloats);
                    new Span<float>(line, StageSteps).Clear();
                    if (row < rows)
                        FloatLoads.Widen<TSimd, TVector>(b.Data, b.Type, at + (row * (nint)b.Columns), line, some);
                }

                Transpose<TSimd, TVector>((byte*)stage, StageFloats * sizeof(float), some, to, columns);
            }
        }
    }

    // One vector of rows; the rows have whole quads of steps.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Transpose<TSimd, TVector>(byte* rows, nint rowBytes, int steps, float* to, nint columns)
        where TSimd : struct, ISimd<TVector>
        where TVector : struct
    {
        for (int step = 0; step < steps; step += 4, rows += 4 * sizeof(float), to += 4 * columns)
        {
            TVector row0 = TSimd.LoadQuads(rows, 4 * rowBytes);
            TVector row1 = TSimd.LoadQuads(rows + rowBytes, 4 * rowBytes);
            TVector row2 = TSimd.LoadQuads(rows + (2 * rowBytes), 4 * rowBytes);
            TVector row3 = TSimd.LoadQuads(rows + (3 * rowBytes), 4 * rowBytes);
            Transposition.Quads<TSimd, TVector>(ref row0, ref row1, ref row2, ref row3);
            TSimd.Store(row0, to);
            if (step + 1 < steps)
                TSimd.Store(row1, to + columns);
            if (step + 2 < steps)
                TSimd.Store(row2, to + (2 * columns));
            if (step + 3 < steps)
                TSimd.Store(row3, to + (3 * columns));
        }
    }
}
