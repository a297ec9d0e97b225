using System.Runtime.CompilerServices;

namespace XComposer2.Native.Cpu;

/// <summary>
/// <see cref="PanelProduct"/> with a panel one vector wide, for products with few columns, such as those of low-rank adapters: in a panel of three vectors most lanes would be
/// zero. Each element of C is summed in the order of the steps.
/// </summary>
internal static unsafe class NarrowPanelProduct
{
    /// <summary>C = A B, or C += A B: each product is summed from zero and added to C once.</summary>
    /// <param name="a">[rows, steps]: element (r, k) at a[r * rowStride + k * stepStride].</param>
    /// <param name="rowStride">Floats from one row of A to the next.</param>
    /// <param name="stepStride">Floats from one step of A to the next.</param>
    /// <param name="rows">Rows of A and C.</param>
    /// <param name="steps">Length of the sums.</param>
    /// <param name="b">[steps, 1 vector].</param>
    /// <param name="c">[rows, 1 vector].</param>
    /// <param name="onto">C += A B.</param>
    public static void Multiply<TSimd, TVector>(float* a, nint rowStride, nint stepStride, int rows, int steps, float* b, float* c, bool onto)
        where TSimd : struct, ISimd<TVector>
        where TVector : struct
    {
        int row = 0;
        nint width = TSimd.Count;
        if (TSimd.HasManyRegisters)
            for (; row <= rows - 16; row += 16)
                SixteenRows<TSimd, TVector>(a + (row * rowStride), rowStride, stepStride, steps, b, c + (row * width), onto);
        for (; row <= rows - 8; row += 8)
            EightRows<TSimd, TVector>(a + (row * rowStride), rowStride, stepStride, steps, b, c + (row * width), onto);
        for (; row < rows; row++)
            OneRow<TSimd, TVector>(a + (row * rowStride), stepStride, steps, b, c + (row * width), onto);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void SixteenRows<TSimd, TVector>(float* a, nint rowStride, nint stepStride, int steps, float* b, float* c, bool onto)
        where TSimd : struct, ISimd<TVector>
        where TVector : struct
    {
        nint width = TSimd.Count;
        TVector c0 = TSimd.Broadcast(0f), c1 = TSimd.Broadcast(0f), c2 = TSimd.Broadcast(0f), c3 = TSimd.Broadcast(0f);
        TVector c4 = TSimd.Broadcast(0f), c5 = TSimd.Broadcast(0f), c6 = TSimd.Broadcast(0f), c7 = TSimd.Broadcast(0f);
        TVector c8 = TSimd.Broadcast(0f), c9 = TSimd.Broadcast(0f), c10 = TSimd.Broadcast(0f), c11 = TSimd.Broadcast(0f);
        TVector c12 = TSimd.Broadcast(0f), c13 = TSimd.Broadcast(0f), c14 = TSimd.Broadcast(0f), c15 = TSimd.Broadcast(0f);
        float* a4 = a + (4 * rowStride);
        float* a8 = a + (8 * rowStride);
        float* a12 = a + (12 * rowStride);
        nint row2 = 2 * rowStride, row3 = 3 * rowStride;
        for (int step = 0; step < steps; step++)
        {
            TVector b0 = TSimd.Load(b);
            c0 = TSimd.MultiplyAdd(TSimd.Broadcast(a[0]), b0, c0);
            c1 = TSimd.MultiplyAdd(TSimd.Broadcast(a[rowStride]), b0, c1);
            c2 = TSimd.MultiplyAdd(TSimd.Broadcast(a[row2]), b0, c2);
            c3 = TSimd.MultiplyAdd(TSimd.Broadcast(a[row3]), b0, c3);
            c4 = TSimd.MultiplyAdd(TSimd.Broadcast(a4[0]), b0, c4);
            c5 = TSimd.MultiplyAdd(TSimd.Broadcast(a4[rowStride]), b0, c5);
            c6 = TSimd.MultiplyAdd(TSimd.Broadcast(a4[row2]), b0, c6);
            c7 = TSimd.MultiplyAdd(TSimd.Broadcast(a4[row3]), b0, c7);
            c8 = TSimd.MultiplyAdd(TSimd.Broadcast(a8[0]), b0, c8);
            c9 = TSimd.MultiplyAdd(TSimd.Broadcast(a8[rowStride]), b0, c9);
            c10 = TSimd.MultiplyAdd(TSimd.Broadcast(a8[row2]), b0, c10);
            c11 = TSimd.MultiplyAdd(TSimd.Broadcast(a8[row3]), b0, c11);
            c12 = TSimd.MultiplyAdd(TSimd.Broadcast(a12[0]), b0, c12);
            c13 = TSimd.MultiplyAdd(TSimd.Broadcast(a12[rowStride]), b0, c13);
            c14 = TSimd.MultiplyAdd(TSimd.Broadcast(a12[row2]), b0, c14);
            c15 = TSimd.MultiplyAdd(TSimd.Broadcast(a12[row3]), b0, c15);
            a += stepStride;
            a4 += stepStride;
            a8 += stepStride;
            a12 += stepStride;
            b += width;
        }

        if (onto)
        {
            c0 = TSimd.Add(TSimd.Load(c), c0);
            c1 = TSimd.Add(TSimd.Load(c + (1 * width)), c1);
            c2 = TSimd.Add(TSimd.Load(c + (2 * width)), c2);
            c3 = TSimd.Add(TSimd.Load(c + (3 * width)), c3);
            c4 = TSimd.Add(TSimd.Load(c + (4 * width)), c4);
            c5 = TSimd.Add(TSimd.Load(c + (5 * width)), c5);
            c6 = TSimd.Add(TSimd.Load(c + (6 * width)), c6);
            c7 = TSimd.Add(TSimd.Load(c + (7 * width)), c7);
            c8 = TSimd.Add(TSimd.Load(c + (8 * width)), c8);
            c9 = TSimd.Add(TSimd.Load(c + (9 * width)), c9);
            c10 = TSimd.Add(TSimd.Load(c + (10 * width)), c10);
            c11 = TSimd.Add(TSimd.Load(c + (11 * width)), c11);
            c12 = TSimd.Add(TSimd.Load(c + (12 * width)), c12);
            c13 = TSimd.Add(TSimd.Load(c + (13 * width)), c13);
            c14 = TSimd.Add(TSimd.Load(c + (14 * width)), c14);
            c15 = TSimd.Add(TSimd.Load(c + (15 * width)), c15);
        }

        TSimd.Store(c0, c);
        TSimd.Store(c1, c + (1 * width));
        TSimd.Store(c2, c + (2 * width));
        TSimd.Store(c3, c + (3 * width));
        TSimd.Store(c4, c + (4 * width));
        TSimd.Store(c5, c + (5 * width));
        TSimd.Store(c6, c + (6 * width));
        TSimd.Store(c7, c + (7 * width));
        TSimd.Store(c8, c + (8 * width));
        TSimd.Store(c9, c + (9 * width));
        TSimd.Store(c10, c + (10 * width));
        TSimd.Store(c11, c + (11 * width));
        TSimd.Store(c12, c + (12 * width));
        TSimd.Store(c13, c + (13 * width));
        TSimd.Store(c14, c + (14 * width));
        TSimd.Store(c15, c + (15 * width));
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void EightRows<TSimd, TVector>(float* a, nint rowStride, nint stepStride, int steps, float* b, float* c, bool onto)
        where TSimd : struct, ISimd<TVector>
        where TVector : struct
    {
        nint width = TSimd.Count;
        TVector c0 = TSimd.Broadcast(0f), c1 = TSimd.Broadcast(0f), c2 = TSimd.Broadcast(0f), c3 = TSimd.Broadcast(0f);
        TVector c4 = TSimd.Broadcast(0f), c5 = TSimd.Broadcast(0f), c6 = TSimd.Broadcast(0f), c7 = TSimd.Broadcast(0f);
        float* a4 = a + (4 * rowStride);
        nint row2 = 2 * rowStride, row3 = 3 * rowStride;
        for (int step = 0; step < steps; step++)
        {
            TVector b0 = TSimd.Load(b);
            c0 = TSimd.MultiplyAdd(TSimd.Broadcast(a[0]), b0, c0);
            c1 = TSimd.MultiplyAdd(TSimd.Broadcast(a[rowStride]), b0, c1);
            c2 = TSimd.MultiplyAdd(TSimd.Broadcast(a[row2]), b0, c2);
            c3 = TSimd.MultiplyAdd(TSimd.Broadcast(a[row3]), b0, c3);
            c4 = TSimd.MultiplyAdd(TSimd.Broadcast(a4[0]), b0, c4);
            c5 = TSimd.MultiplyAdd(TSimd.Broadcast(a4[rowStride]), b0, c5);
            c6 = TSimd.MultiplyAdd(TSimd.Broadcast(a4[row2]), b0, c6);
            c7 = TSimd.MultiplyAdd(TSimd.Broadcast(a4[row3]), b0, c7);
            a += stepStride;
            a4 += stepStride;
            b += width;
        }

        if (onto)
        {
            c0 = TSimd.Add(TSimd.Load(c), c0);
            c1 = TSimd.Add(TSimd.Load(c + (1 * width)), c1);
            c2 = TSimd.Add(TSimd.Load(c + (2 * width)), c2);
            c3 = TSimd.Add(TSimd.Load(c + (3 * width)), c3);
            c4 = TSimd.Add(TSimd.Load(c + (4 * width)), c4);
            c5 = TSimd.Add(TSimd.Load(c + (5 * width)), c5);
            c6 = TSimd.Add(TSimd.Load(c + (6 * width)), c6);
            c7 = TSimd.Add(TSimd.Load(c + (7 * width)), c7);
        }

        TSimd.Store(c0, c);
        TSimd.Store(c1, c + (1 * width));
        TSimd.Store(c2, c + (2 * width));
        TSimd.Store(c3, c + (3 * width));
        TSimd.Store(c4, c + (4 * width));
        TSimd.Store(c5, c + (5 * width));
        TSimd.Store(c6, c + (6 * width));
        TSimd.Store(c7, c + (7 * width));
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void OneRow<TSimd, TVector>(float* a, nint stepStride, int steps, float* b, float* c, bool onto)
        where TSimd : struct, ISimd<TVector>
        where TVector : struct
    {
        TVector sum = TSimd.Broadcast(0f);
        for (int step = 0; step < steps; step++, a += stepStride, b += TSimd.Count)
            sum = TSimd.MultiplyAdd(TSimd.Broadcast(*a), TSimd.Load(b), sum);
        TSimd.Store(onto ? TSimd.Add(TSimd.Load(c), sum) : sum, c);
    }
}
