using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace XComposer2.Native.Model;

/// <summary>C[i, k] += Σ A[j, i] · B[j, k] in F32, for j in order and with fused multiply-add: the same bits for any number of threads and on any processor.</summary>
internal static unsafe class OuterProducts
{
    private const int TileRows = 6, TileColumns = 16, Lanes = 8;

    /// <param name="c">[rows, columns], <paramref name="cStride"/> apart.</param>
    /// <param name="cStride">Elements from one row to the next.</param>
    /// <param name="a">[depth, rows].</param>
    /// <param name="aStride">As <paramref name="cStride"/>.</param>
    /// <param name="b">[depth, columns].</param>
    /// <param name="bStride">As <paramref name="cStride"/>.</param>
    /// <param name="rows">Of C.</param>
    /// <param name="columns">Of C.</param>
    /// <param name="depth">Products of a sum.</param>
    public static void Add(float* c, nint cStride, float* a, nint aStride, float* b, nint bStride, int rows, int columns, int depth)
    {
        int k = 0;
        for (; k <= columns - TileColumns; k += TileColumns)
        {
            int i = 0;
            for (; i <= rows - TileRows; i += TileRows)
                AddTile(c + (i * cStride) + k, cStride, a + i, aStride, b + k, bStride, depth);
            for (; i < rows; i++)
                for (int half = 0; half < TileColumns; half += Lanes)
                    AddVector(c + (i * cStride) + k + half, a + i, aStride, b + k + half, bStride, depth);
        }

        for (; k < columns; k++)
            for (int i = 0; i < rows; i++)
            {
                float sum = c[(i * cStride) + k];
                for (int j = 0; j < depth; j++)
                    sum = MathF.FusedMultiplyAdd(a[(j * aStride) + i], b[(j * bStride) + k], sum);
                c[(i * cStride) + k] = sum;
            }
    }

    private static void AddVector(float* c, float* a, nint aStride, float* b, nint bStride, int depth)
    {
        Vector256<float> sum = Vector256.Load(c);
        for (int j = 0; j < depth; j++)
            sum = Product(Vector256.Create(a[j * aStride]), Vector256.Load(b + (j * bStride)), sum);
        sum.Store(c);
    }

    private static void AddTile(float* c, nint stride, float* a, nint aStride, float* b, nint bStride, int depth)
    {
        Vector256<float> s00 = Vector256.Load(c), s01 = Vector256.Load(c + Lanes), s10 = Vector256.Load(c + stride), s11 = Vector256.Load(c + stride + Lanes);
        Vector256<float> s20 = Vector256.Load(c + (2 * stride)), s21 = Vector256.Load(c + (2 * stride) + Lanes), s30 = Vector256.Load(c + (3 * stride)), s31 = Vector256.Load(c + (3 * stride) + Lanes);
        Vector256<float> s40 = Vector256.Load(c + (4 * stride)), s41 = Vector256.Load(c + (4 * stride) + Lanes), s50 = Vector256.Load(c + (5 * stride)), s51 = Vector256.Load(c + (5 * stride) + Lanes);
        for (int j = 0; j < depth; j++, a += aStride, b += bStride)
        {
            Vector256<float> b0 = Vector256.Load(b), b1 = Vector256.Load(b + Lanes), x = Vector256.Create(a[0]);
            (s00, s01) = (Product(x, b0, s00), Product(x, b1, s01));
            x = Vector256.Create(a[1]);
            (s10, s11) = (Product(x, b0, s10), Product(x, b1, s11));
            x = Vector256.Create(a[2]);
            (s20, s21) = (Product(x, b0, s20), Product(x, b1, s21));
            x = Vector256.Create(a[3]);
            (s30, s31) = (Product(x, b0, s30), Product(x, b1, s31));
            x = Vector256.Create(a[4]);
            (s40, s41) = (Product(x, b0, s40), Product(x, b1, s41));
            x = Vector256.Create(a[5]);
            (s50, s51) = (Product(x, b0, s50), Product(x, b1, s51));
        }

        s00.Store(c);
        s01.Store(c + Lanes);
        s10.Store(c + stride);
        s11.Store(c + stride + Lanes);
        s20.Store(c + (2 * stride));
        s21.Store(c + (2 * stride) + Lanes);
        s30.Store(c + (3 * stride));
        s31.Store(c + (3 * stride) + Lanes);
        s40.Store(c + (4 * stride));
        s41.Store(c + (4 * stride) + Lanes);
        s50.Store(c + (5 * stride));
        s51.Store(c + (5 * stride) + Lanes);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> Product(Vector256<float> left, Vector256<float> right, Vector256<float> sum) => Vector256.FusedMultiplyAdd(left, right, sum);
}
