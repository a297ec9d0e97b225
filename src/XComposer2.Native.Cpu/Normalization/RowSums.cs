using System.Runtime.CompilerServices;

namespace XComposer2.Native.Cpu;

/// <summary>Sums over a row with four vectors of partial sums: faster and more accurate than a single running sum.</summary>
internal static unsafe class RowSums
{
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static float Values<TSimd, TVector>(float* x, int count)
        where TSimd : struct, ISimd<TVector>
        where TVector : struct
    {
        int width = TSimd.Count;
        TVector sum0 = TSimd.Broadcast(0f), sum1 = sum0, sum2 = sum0, sum3 = sum0;
        int i = 0;
        for (; i <= count - (4 * width); i += 4 * width)
        {
            sum0 = TSimd.Add(sum0, TSimd.Load(x + i));
            sum1 = TSimd.Add(sum1, TSimd.Load(x + i + width));
            sum2 = TSimd.Add(sum2, TSimd.Load(x + i + (2 * width)));
            sum3 = TSimd.Add(sum3, TSimd.Load(x + i + (3 * width)));
        }

        for (; i <= count - width; i += width)
            sum0 = TSimd.Add(sum0, TSimd.Load(x + i));
        float sum = TSimd.Sum(TSimd.Add(TSimd.Add(sum0, sum1), TSimd.Add(sum2, sum3)));
        for (; i < count; i++)
            sum += x[i];
        return sum;
    }

    /// <summary>Sum of (x - centre)².</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static float Squares<TSimd, TVector>(float* x, int count, float centre)
        where TSimd : struct, ISimd<TVector>
        where TVector : struct
    {
        int width = TSimd.Count;
        TVector centres = TSimd.Broadcast(centre);
        TVector sum0 = TSimd.Broadcast(0f), sum1 = sum0, sum2 = sum0, sum3 = sum0;
        int i = 0;
        for (; i <= count - (4 * width); i += 4 * width)
        {
            TVector x0 = TSimd.Subtract(TSimd.Load(x + i), centres);
            TVector x1 = TSimd.Subtract(TSimd.Load(x + i + width), centres);
            TVector x2 = TSimd.Subtract(TSimd.Load(x + i + (2 * width)), centres);
            TVector x3 = TSimd.Subtract(TSimd.Load(x + i + (3 * width)), centres);
            sum0 = TSimd.MultiplyAdd(x0, x0, sum0);
            sum1 = TSimd.MultiplyAdd(x1, x1, sum1);
            sum2 = TSimd.MultiplyAdd(x2, x2, sum2);
            sum3 = TSimd.MultiplyAdd(x3, x3, sum3);
        }

        for (; i <= count - width; i += width)
        {
            TVector distance = TSimd.Subtract(TSimd.Load(x + i), centres);
            sum0 = TSimd.MultiplyAdd(distance, distance, sum0);
        }

        float sum = TSimd.Sum(TSimd.Add(TSimd.Add(sum0, sum1), TSimd.Add(sum2, sum3)));
        for (; i < count; i++)
            sum += (x[i] - centre) * (x[i] - centre);
        return sum;
    }
}
