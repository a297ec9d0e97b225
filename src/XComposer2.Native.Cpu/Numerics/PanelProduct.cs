using System.Runtime.CompilerServices;

namespace XComposer2.Native.Cpu;

/// <summary>Product of a small matrix and a panel three vectors wide, all of it in registers: C = A B, or C = C scaled per column + A B,
/// or C = C + (A B) where the product is summed on its own first.
/// A is read one element at a time and may be strided both ways, so that neither A nor its transpose is ever packed.
/// Each element of C is summed in the order of the steps at every width, so the result does not depend on the width.</summary>
internal static unsafe class PanelProduct
{
    /// <summary>Columns of the widest panel; scratch is sized by it.</summary>
    public const int MostColumns = 48;

    /// <param name="a">[rows, steps]: element (r, k) at a[r * rowStride + k * stepStride].</param>
    /// <param name="rowStride">Floats from one row of A to the next.</param>
    /// <param name="stepStride">Floats from one step of A to the next.</param>
    /// <param name="rows">Rows of A and C.</param>
    /// <param name="steps">Length of the sums.</param>
    /// <param name="b">[steps, 3 vectors].</param>
    /// <param name="c">[rows, 3 vectors].</param>
    /// <param name="rescale">[3 vectors], multiplied into C before the sum; null overwrites C.</param>
    public static void Multiply<TSimd, TVector>(
        float* a, nint rowStride, nint stepStride, int rows, int steps, float* b, float* c, float* rescale)
        where TSimd : struct, ISimd<TVector>
        where TVector : struct => Multiply<TSimd, TVector>(a, rowStride, stepStride, rows, steps, b, c, rescale, onto: false);

    /// <summary>C += A B: each product is summed from zero and added to C once. Parameters as for
    /// <see cref="Multiply{TSimd, TVector}(float*, nint, nint, int, int, float*, float*, float*)"/>.</summary>
    public static void MultiplyOnto<TSimd, TVector>(float* a, nint rowStride, nint stepStride, int rows, int steps, float* b, float* c)
        where TSimd : struct, ISimd<TVector>
        where TVector : struct => Multiply<TSimd, TVector>(a, rowStride, stepStride, rows, steps, b, c, null, onto: true);

    private static void Multiply<TSimd, TVector>(
        float* a, nint rowStride, nint stepStride, int rows, int steps, float* b, float* c, float* rescale, bool onto)
        where TSimd : struct, ISimd<TVector>
        where TVector : struct
    {
        int row = 0;
        nint columns = 3 * TSimd.Count;
        if (TSimd.HasManyRegisters)
            for (; row <= rows - 8; row += 8)
                EightRows<TSimd, TVector>(a + (row * rowStride), rowStride, stepStride, steps, b, c + (row * columns), rescale, onto);
        for (; row <= rows - 4; row += 4)
            FourRows<TSimd, TVector>(a + (row * rowStride), rowStride, stepStride, steps, b, c + (row * columns), rescale, onto);
        for (; row < rows; row++)
            OneRow<TSimd, TVector>(a + (row * rowStride), stepStride, steps, b, c + (row * columns), rescale, onto);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void EightRows<TSimd, TVector>(float* a, nint rowStride, nint stepStride, int steps, float* b, float* c, float* rescale, bool onto)
        where TSimd : struct, ISimd<TVector>
        where TVector : struct
    {
        nint width = TSimd.Count;
        nint columns = 3 * width;
        nint row2 = 2 * rowStride, row3 = 3 * rowStride;
        TVector c00 = TSimd.Broadcast(0f), c01 = TSimd.Broadcast(0f), c02 = TSimd.Broadcast(0f);
        TVector c10 = TSimd.Broadcast(0f), c11 = TSimd.Broadcast(0f), c12 = TSimd.Broadcast(0f);
        TVector c20 = TSimd.Broadcast(0f), c21 = TSimd.Broadcast(0f), c22 = TSimd.Broadcast(0f);
        TVector c30 = TSimd.Broadcast(0f), c31 = TSimd.Broadcast(0f), c32 = TSimd.Broadcast(0f);
        TVector c40 = TSimd.Broadcast(0f), c41 = TSimd.Broadcast(0f), c42 = TSimd.Broadcast(0f);
        TVector c50 = TSimd.Broadcast(0f), c51 = TSimd.Broadcast(0f), c52 = TSimd.Broadcast(0f);
        TVector c60 = TSimd.Broadcast(0f), c61 = TSimd.Broadcast(0f), c62 = TSimd.Broadcast(0f);
        TVector c70 = TSimd.Broadcast(0f), c71 = TSimd.Broadcast(0f), c72 = TSimd.Broadcast(0f);
        if (rescale is not null)
        {
            TVector s0 = TSimd.Load(rescale), s1 = TSimd.Load(rescale + width), s2 = TSimd.Load(rescale + (2 * width));
            c00 = TSimd.Multiply(TSimd.Load(c), s0);
            c01 = TSimd.Multiply(TSimd.Load(c + (1 * width)), s1);
            c02 = TSimd.Multiply(TSimd.Load(c + (2 * width)), s2);
            c10 = TSimd.Multiply(TSimd.Load(c + (1 * columns)), s0);
            c11 = TSimd.Multiply(TSimd.Load(c + (1 * columns) + (1 * width)), s1);
            c12 = TSimd.Multiply(TSimd.Load(c + (1 * columns) + (2 * width)), s2);
            c20 = TSimd.Multiply(TSimd.Load(c + (2 * columns)), s0);
            c21 = TSimd.Multiply(TSimd.Load(c + (2 * columns) + (1 * width)), s1);
            c22 = TSimd.Multiply(TSimd.Load(c + (2 * columns) + (2 * width)), s2);
            c30 = TSimd.Multiply(TSimd.Load(c + (3 * columns)), s0);
            c31 = TSimd.Multiply(TSimd.Load(c + (3 * columns) + (1 * width)), s1);
            c32 = TSimd.Multiply(TSimd.Load(c + (3 * columns) + (2 * width)), s2);
            c40 = TSimd.Multiply(TSimd.Load(c + (4 * columns)), s0);
            c41 = TSimd.Multiply(TSimd.Load(c + (4 * columns) + (1 * width)), s1);
            c42 = TSimd.Multiply(TSimd.Load(c + (4 * columns) + (2 * width)), s2);
            c50 = TSimd.Multiply(TSimd.Load(c + (5 * columns)), s0);
            c51 = TSimd.Multiply(TSimd.Load(c + (5 * columns) + (1 * width)), s1);
            c52 = TSimd.Multiply(TSimd.Load(c + (5 * columns) + (2 * width)), s2);
            c60 = TSimd.Multiply(TSimd.Load(c + (6 * columns)), s0);
            c61 = TSimd.Multiply(TSimd.Load(c + (6 * columns) + (1 * width)), s1);
            c62 = TSimd.Multiply(TSimd.Load(c + (6 * columns) + (2 * width)), s2);
            c70 = TSimd.Multiply(TSimd.Load(c + (7 * columns)), s0);
            c71 = TSimd.Multiply(TSimd.Load(c + (7 * columns) + (1 * width)), s1);
            c72 = TSimd.Multiply(TSimd.Load(c + (7 * columns) + (2 * width)), s2);
        }

        float* a4 = a + (4 * rowStride);
        for (int step = 0; step < steps; step++)
        {
            TVector b0 = TSimd.Load(b), b1 = TSimd.Load(b + width), b2 = TSimd.Load(b + (2 * width));
            TVector scalar;
            scalar = TSimd.Broadcast(a[0]);
            c00 = TSimd.MultiplyAdd(scalar, b0, c00);
            c01 = TSimd.MultiplyAdd(scalar, b1, c01);
            c02 = TSimd.MultiplyAdd(scalar, b2, c02);
            scalar = TSimd.Broadcast(a[rowStride]);
            c10 = TSimd.MultiplyAdd(scalar, b0, c10);
            c11 = TSimd.MultiplyAdd(scalar, b1, c11);
            c12 = TSimd.MultiplyAdd(scalar, b2, c12);
            scalar = TSimd.Broadcast(a[row2]);
            c20 = TSimd.MultiplyAdd(scalar, b0, c20);
            c21 = TSimd.MultiplyAdd(scalar, b1, c21);
            c22 = TSimd.MultiplyAdd(scalar, b2, c22);
            scalar = TSimd.Broadcast(a[row3]);
            c30 = TSimd.MultiplyAdd(scalar, b0, c30);
            c31 = TSimd.MultiplyAdd(scalar, b1, c31);
            c32 = TSimd.MultiplyAdd(scalar, b2, c32);
            scalar = TSimd.Broadcast(a4[0]);
            c40 = TSimd.MultiplyAdd(scalar, b0, c40);
            c41 = TSimd.MultiplyAdd(scalar, b1, c41);
            c42 = TSimd.MultiplyAdd(scalar, b2, c42);
            scalar = TSimd.Broadcast(a4[rowStride]);
            c50 = TSimd.MultiplyAdd(scalar, b0, c50);
            c51 = TSimd.MultiplyAdd(scalar, b1, c51);
            c52 = TSimd.MultiplyAdd(scalar, b2, c52);
            scalar = TSimd.Broadcast(a4[row2]);
            c60 = TSimd.MultiplyAdd(scalar, b0, c60);
            c61 = TSimd.MultiplyAdd(scalar, b1, c61);
            c62 = TSimd.MultiplyAdd(scalar, b2, c62);
            scalar = TSimd.Broadcast(a4[row3]);
            c70 = TSimd.MultiplyAdd(scalar, b0, c70);
            c71 = TSimd.MultiplyAdd(scalar, b1, c71);
            c72 = TSimd.MultiplyAdd(scalar, b2, c72);
            a += stepStride;
            a4 += stepStride;
            b += columns;
        }

        if (onto)
        {
            c00 = TSimd.Add(TSimd.Load(c), c00);
            c01 = TSimd.Add(TSimd.Load(c + (1 * width)), c01);
            c02 = TSimd.Add(TSimd.Load(c + (2 * width)), c02);
            c10 = TSimd.Add(TSimd.Load(c + (1 * columns)), c10);
            c11 = TSimd.Add(TSimd.Load(c + (1 * columns) + (1 * width)), c11);
            c12 = TSimd.Add(TSimd.Load(c + (1 * columns) + (2 * width)), c12);
            c20 = TSimd.Add(TSimd.Load(c + (2 * columns)), c20);
            c21 = TSimd.Add(TSimd.Load(c + (2 * columns) + (1 * width)), c21);
            c22 = TSimd.Add(TSimd.Load(c + (2 * columns) + (2 * width)), c22);
            c30 = TSimd.Add(TSimd.Load(c + (3 * columns)), c30);
            c31 = TSimd.Add(TSimd.Load(c + (3 * columns) + (1 * width)), c31);
            c32 = TSimd.Add(TSimd.Load(c + (3 * columns) + (2 * width)), c32);
            c40 = TSimd.Add(TSimd.Load(c + (4 * columns)), c40);
            c41 = TSimd.Add(TSimd.Load(c + (4 * columns) + (1 * width)), c41);
            c42 = TSimd.Add(TSimd.Load(c + (4 * columns) + (2 * width)), c42);
            c50 = TSimd.Add(TSimd.Load(c + (5 * columns)), c50);
            c51 = TSimd.Add(TSimd.Load(c + (5 * columns) + (1 * width)), c51);
            c52 = TSimd.Add(TSimd.Load(c + (5 * columns) + (2 * width)), c52);
            c60 = TSimd.Add(TSimd.Load(c + (6 * columns)), c60);
            c61 = TSimd.Add(TSimd.Load(c + (6 * columns) + (1 * width)), c61);
            c62 = TSimd.Add(TSimd.Load(c + (6 * columns) + (2 * width)), c62);
            c70 = TSimd.Add(TSimd.Load(c + (7 * columns)), c70);
            c71 = TSimd.Add(TSimd.Load(c + (7 * columns) + (1 * width)), c71);
            c72 = TSimd.Add(TSimd.Load(c + (7 * columns) + (2 * width)), c72);
        }

        TSimd.Store(c00, c);
        TSimd.Store(c01, c + (1 * width));
        TSimd.Store(c02, c + (2 * width));
        TSimd.Store(c10, c + (1 * columns));
        TSimd.Store(c11, c + (1 * columns) + (1 * width));
        TSimd.Store(c12, c + (1 * columns) + (2 * width));
        TSimd.Store(c20, c + (2 * columns));
        TSimd.Store(c21, c + (2 * columns) + (1 * width));
        TSimd.Store(c22, c + (2 * columns) + (2 * width));
        TSimd.Store(c30, c + (3 * columns));
        TSimd.Store(c31, c + (3 * columns) + (1 * width));
        TSimd.Store(c32, c + (3 * columns) + (2 * width));
        TSimd.Store(c40, c + (4 * columns));
        TSimd.Store(c41, c + (4 * columns) + (1 * width));
        TSimd.Store(c42, c + (4 * columns) + (2 * width));
        TSimd.Store(c50, c + (5 * columns));
        TSimd.Store(c51, c + (5 * columns) + (1 * width));
        TSimd.Store(c52, c + (5 * columns) + (2 * width));
        TSimd.Store(c60, c + (6 * columns));
        TSimd.Store(c61, c + (6 * columns) + (1 * width));
        TSimd.Store(c62, c + (6 * columns) + (2 * width));
        TSimd.Store(c70, c + (7 * columns));
        TSimd.Store(c71, c + (7 * columns) + (1 * width));
        TSimd.Store(c72, c + (7 * columns) + (2 * width));
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void FourRows<TSimd, TVector>(float* a, nint rowStride, nint stepStride, int steps, float* b, float* c, float* rescale, bool onto)
        where TSimd : struct, ISimd<TVector>
        where TVector : struct
    {
        nint width = TSimd.Count;
        nint columns = 3 * width;
        nint row2 = 2 * rowStride, row3 = 3 * rowStride;
        TVector c00 = TSimd.Broadcast(0f), c01 = TSimd.Broadcast(0f), c02 = TSimd.Broadcast(0f);
        TVector c10 = TSimd.Broadcast(0f), c11 = TSimd.Broadcast(0f), c12 = TSimd.Broadcast(0f);
        TVector c20 = TSimd.Broadcast(0f), c21 = TSimd.Broadcast(0f), c22 = TSimd.Broadcast(0f);
        TVector c30 = TSimd.Broadcast(0f), c31 = TSimd.Broadcast(0f), c32 = TSimd.Broadcast(0f);
        if (rescale is not null)
        {
            TVector s0 = TSimd.Load(rescale), s1 = TSimd.Load(rescale + width), s2 = TSimd.Load(rescale + (2 * width));
            c00 = TSimd.Multiply(TSimd.Load(c), s0);
            c01 = TSimd.Multiply(TSimd.Load(c + (1 * width)), s1);
            c02 = TSimd.Multiply(TSimd.Load(c + (2 * width)), s2);
            c10 = TSimd.Multiply(TSimd.Load(c + (1 * columns)), s0);
            c11 = TSimd.Multiply(TSimd.Load(c + (1 * columns) + (1 * width)), s1);
            c12 = TSimd.Multiply(TSimd.Load(c + (1 * columns) + (2 * width)), s2);
            c20 = TSimd.Multiply(TSimd.Load(c + (2 * columns)), s0);
            c21 = TSimd.Multiply(TSimd.Load(c + (2 * columns) + (1 * width)), s1);
            c22 = TSimd.Multiply(TSimd.Load(c + (2 * columns) + (2 * width)), s2);
            c30 = TSimd.Multiply(TSimd.Load(c + (3 * columns)), s0);
            c31 = TSimd.Multiply(TSimd.Load(c + (3 * columns) + (1 * width)), s1);
            c32 = TSimd.Multiply(TSimd.Load(c + (3 * columns) + (2 * width)), s2);
        }

        for (int step = 0; step < steps; step++)
        {
            TVector b0 = TSimd.Load(b), b1 = TSimd.Load(b + width), b2 = TSimd.Load(b + (2 * width));
            TVector scalar;
            scalar = TSimd.Broadcast(a[0]);
            c00 = TSimd.MultiplyAdd(scalar, b0, c00);
            c01 = TSimd.MultiplyAdd(scalar, b1, c01);
            c02 = TSimd.MultiplyAdd(scalar, b2, c02);
            scalar = TSimd.Broadcast(a[rowStride]);
            c10 = TSimd.MultiplyAdd(scalar, b0, c10);
            c11 = TSimd.MultiplyAdd(scalar, b1, c11);
            c12 = TSimd.MultiplyAdd(scalar, b2, c12);
            scalar = TSimd.Broadcast(a[row2]);
            c20 = TSimd.MultiplyAdd(scalar, b0, c20);
            c21 = TSimd.MultiplyAdd(scalar, b1, c21);
            c22 = TSimd.MultiplyAdd(scalar, b2, c22);
            scalar = TSimd.Broadcast(a[row3]);
            c30 = TSimd.MultiplyAdd(scalar, b0, c30);
            c31 = TSimd.MultiplyAdd(scalar, b1, c31);
            c32 = TSimd.MultiplyAdd(scalar, b2, c32);
            a += stepStride;
            b += columns;
        }

        if (onto)
        {
            c00 = TSimd.Add(TSimd.Load(c), c00);
            c01 = TSimd.Add(TSimd.Load(c + (1 * width)), c01);
            c02 = TSimd.Add(TSimd.Load(c + (2 * width)), c02);
            c10 = TSimd.Add(TSimd.Load(c + (1 * columns)), c10);
            c11 = TSimd.Add(TSimd.Load(c + (1 * columns) + (1 * width)), c11);
            c12 = TSimd.Add(TSimd.Load(c + (1 * columns) + (2 * width)), c12);
            c20 = TSimd.Add(TSimd.Load(c + (2 * columns)), c20);
            c21 = TSimd.Add(TSimd.Load(c + (2 * columns) + (1 * width)), c21);
            c22 = TSimd.Add(TSimd.Load(c + (2 * columns) + (2 * width)), c22);
            c30 = TSimd.Add(TSimd.Load(c + (3 * columns)), c30);
            c31 = TSimd.Add(TSimd.Load(c + (3 * columns) + (1 * width)), c31);
            c32 = TSimd.Add(TSimd.Load(c + (3 * columns) + (2 * width)), c32);
        }

        TSimd.Store(c00, c);
        TSimd.Store(c01, c + (1 * width));
        TSimd.Store(c02, c + (2 * width));
        TSimd.Store(c10, c + (1 * columns));
        TSimd.Store(c11, c + (1 * columns) + (1 * width));
        TSimd.Store(c12, c + (1 * columns) + (2 * width));
        TSimd.Store(c20, c + (2 * columns));
        TSimd.Store(c21, c + (2 * columns) + (1 * width));
        TSimd.Store(c22, c + (2 * columns) + (2 * width));
        TSimd.Store(c30, c + (3 * columns));
        TSimd.Store(c31, c + (3 * columns) + (1 * width));
        TSimd.Store(c32, c + (3 * columns) + (2 * width));
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void OneRow<TSimd, TVector>(float* a, nint stepStride, int steps, float* b, float* c, float* rescale, bool onto)
        where TSimd : struct, ISimd<TVector>
        where TVector : struct
    {
        nint width = TSimd.Count;
        nint columns = 3 * width;
        TVector c00 = TSimd.Broadcast(0f), c01 = TSimd.Broadcast(0f), c02 = TSimd.Broadcast(0f);
        if (rescale is not null)
        {
            TVector s0 = TSimd.Load(rescale), s1 = TSimd.Load(rescale + width), s2 = TSimd.Load(rescale + (2 * width));
            c00 = TSimd.Multiply(TSimd.Load(c), s0);
            c01 = TSimd.Multiply(TSimd.Load(c + (1 * width)), s1);
            c02 = TSimd.Multiply(TSimd.Load(c + (2 * width)), s2);
        }

        for (int step = 0; step < steps; step++)
        {
            TVector b0 = TSimd.Load(b), b1 = TSimd.Load(b + width), b2 = TSimd.Load(b + (2 * width));
            TVector scalar;
            scalar = TSimd.Broadcast(a[0]);
            c00 = TSimd.MultiplyAdd(scalar, b0, c00);
            c01 = TSimd.MultiplyAdd(scalar, b1, c01);
            c02 = TSimd.MultiplyAdd(scalar, b2, c02);
            a += stepStride;
            b += columns;
        }

        if (onto)
        {
            c00 = TSimd.Add(TSimd.Load(c), c00);
            c01 = TSimd.Add(TSimd.Load(c + (1 * width)), c01);
            c02 = TSimd.Add(TSimd.Load(c + (2 * width)), c02);
        }

        TSimd.Store(c00, c);
        TSimd.Store(c01, c + (1 * width));
        TSimd.Store(c02, c + (2 * width));
    }
}
