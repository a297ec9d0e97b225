using System.Runtime.CompilerServices;

namespace XComposer2.Native.Cpu;

/// <summary>C = A B or C += A B on one thread, for the small products inside a task. A by two strides, B and C by rows.</summary>
internal static unsafe class TileProduct
{
    private const int StepBlock = 256;

    private const int PartRows = 64;

    /// <summary>Floats of scratch.</summary>
    public const int Floats = (StepBlock + PartRows) * PanelProduct.MostColumns;

    /// <param name="a">Element (row, step) at a[row * aRow + step * aStep].</param>
    /// <param name="aRow">Stride.</param>
    /// <param name="aStep">Stride.</param>
    /// <param name="rows">Rows of C.</param>
    /// <param name="steps">At least 1.</param>
    /// <param name="b">[steps, columns].</param>
    /// <param name="bRow">Floats from one row of B to the next.</param>
    /// <param name="columns">Columns of C.</param>
    /// <param name="c">[rows, columns].</param>
    /// <param name="cRow">Floats from one row of C to the next.</param>
    /// <param name="isAdded">C += A B.</param>
    /// <param name="scratch">Of <see cref="Floats"/>.</param>
    public static void Run<TSimd, TVector>(
        float* a, nint aRow, nint aStep, int rows, int steps, float* b, nint bRow, int columns, float* c, nint cRow, bool isAdded, float* scratch)
        where TSimd : struct, ISimd<TVector>
        where TVector : struct
    {
        float* panel = scratch;
        float* tile = scratch + (StepBlock * PanelProduct.MostColumns);
        var panels = new PanelColumns(columns, TSimd.Count);
        for (int each = 0; each < panels.Count; each++)
        {
            (int column, int width) = panels[each];
            int count = Math.Min(width, columns - column);
            for (int step = 0; step < steps; step += StepBlock)
            {
                int block = Math.Min(StepBlock, steps - step);
                Pack<TSimd, TVector>(b + (step * bRow) + column, bRow, block, count, panel, width);
                for (int row = 0; row < rows; row += PartRows)
                {
                    int part = Math.Min(PartRows, rows - row);
                    float* from = a + (row * aRow) + (step * aStep);
                    if (width == TSimd.Count)
                        NarrowPanelProduct.Multiply<TSimd, TVector>(from, aRow, aStep, part, block, panel, tile, onto: false);
                    else
                        PanelProduct.Multiply<TSimd, TVector>(from, aRow, aStep, part, block, panel, tile, null);
                    Write<TSimd, TVector>(tile, part, count, width, c + (row * cRow) + column, cRow, isAdded || step > 0);
                }
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Pack<TSimd, TVector>(float* b, nint bRow, int steps, int count, float* panel, int width)
        where TSimd : struct, ISimd<TVector>
        where TVector : struct
    {
        for (int step = 0; step < steps; step++, b += bRow, panel += width)
        {
            int i = 0;
            for (; i <= count - TSimd.Count; i += TSimd.Count)
                TSimd.Store(TSimd.Load(b + i), panel + i);
            for (; i < count; i++)
                panel[i] = b[i];
            for (; i < width; i++)
                panel[i] = 0;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Write<TSimd, TVector>(float* tile, int rows, int count, int width, float* c, nint cRow, bool isAdded)
        where TSimd : struct, ISimd<TVector>
        where TVector : struct
    {
        for (int row = 0; row < rows; row++, tile += width, c += cRow)
        {
            int i = 0;
            for (; i <= count - TSimd.Count; i += TSimd.Count)
                TSimd.Store(isAdded ? TSimd.Add(TSimd.Load(c + i), TSimd.Load(tile + i)) : TSimd.Load(tile + i), c + i);
            for (; i < count; i++)
                c[i] = isAdded ? c[i] + tile[i] : tile[i];
        }
    }
}
