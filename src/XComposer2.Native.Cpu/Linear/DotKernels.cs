using System.Runtime.CompilerServices;

namespace XComposer2.Native.Cpu;

/// <summary>Inner loops of <see cref="DotProducts"/>. Each goes on from the running sums in lanes, row by row and vector by vector, over a count
/// of inputs that is a multiple of sixteen. Nothing is called between the first load and the last store: sums would be spilled around it.</summary>
internal static unsafe class DotKernels
{
    /// <summary>Most rows of x that a kernel takes.</summary>
    public const int MostRows = 4;

    /// <summary>Most vectors of weights that a kernel takes.</summary>
    public const int MostVectors = 8;

    // Hardware follows streams too, but stops at every page and starts late; this many bytes keep memory busy across.
    private const int AheadBytes = 256;

    /// <summary>First running sum of a vector of weights.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Lane<TSimd, TVector>(int vector)
        where TSimd : struct, ISimd<TVector>
        where TVector : struct => vector * TSimd.Count % SummationOrder.Lanes;

    /// <summary>Rows of weights that so many vectors cover.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Outputs<TSimd, TVector>(int vectors)
        where TSimd : struct, ISimd<TVector>
        where TVector : struct => vectors * TSimd.Count / SummationOrder.Lanes;

    /// <summary>One row of x and eight vectors of weights.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void OneRow<TSimd, TVector, TElement>(float** x, byte** w, nint count, float* lanes)
        where TSimd : struct, ISimd<TVector>
        where TVector : struct
        where TElement : struct, IStoredElement
    {
        float* x0 = x[0];
        byte* w0 = w[0];
        byte* w1 = w[1];
        byte* w2 = w[2];
        byte* w3 = w[3];
        byte* w4 = w[4];
        byte* w5 = w[5];
        byte* w6 = w[6];
        byte* w7 = w[7];
        TVector sum0 = TSimd.Load(lanes);
        TVector sum1 = TSimd.Load(lanes + (1 * TSimd.Count));
        TVector sum2 = TSimd.Load(lanes + (2 * TSimd.Count));
        TVector sum3 = TSimd.Load(lanes + (3 * TSimd.Count));
        TVector sum4 = TSimd.Load(lanes + (4 * TSimd.Count));
        TVector sum5 = TSimd.Load(lanes + (5 * TSimd.Count));
        TVector sum6 = TSimd.Load(lanes + (6 * TSimd.Count));
        TVector sum7 = TSimd.Load(lanes + (7 * TSimd.Count));
        for (nint i = 0; i < count; i += SummationOrder.Lanes)
        {
            Prefetch.Far(w0 + (i * TElement.Bytes) + AheadBytes);
            sum0 = TSimd.MultiplyAdd(TElement.Load<TSimd, TVector>(w0 + (i * TElement.Bytes)), TSimd.Load(x0 + i + Lane<TSimd, TVector>(0)), sum0);
            Prefetch.Far(w1 + (i * TElement.Bytes) + AheadBytes);
            sum1 = TSimd.MultiplyAdd(TElement.Load<TSimd, TVector>(w1 + (i * TElement.Bytes)), TSimd.Load(x0 + i + Lane<TSimd, TVector>(1)), sum1);
            Prefetch.Far(w2 + (i * TElement.Bytes) + AheadBytes);
            sum2 = TSimd.MultiplyAdd(TElement.Load<TSimd, TVector>(w2 + (i * TElement.Bytes)), TSimd.Load(x0 + i + Lane<TSimd, TVector>(2)), sum2);
            Prefetch.Far(w3 + (i * TElement.Bytes) + AheadBytes);
            sum3 = TSimd.MultiplyAdd(TElement.Load<TSimd, TVector>(w3 + (i * TElement.Bytes)), TSimd.Load(x0 + i + Lane<TSimd, TVector>(3)), sum3);
            Prefetch.Far(w4 + (i * TElement.Bytes) + AheadBytes);
            sum4 = TSimd.MultiplyAdd(TElement.Load<TSimd, TVector>(w4 + (i * TElement.Bytes)), TSimd.Load(x0 + i + Lane<TSimd, TVector>(4)), sum4);
            Prefetch.Far(w5 + (i * TElement.Bytes) + AheadBytes);
            sum5 = TSimd.MultiplyAdd(TElement.Load<TSimd, TVector>(w5 + (i * TElement.Bytes)), TSimd.Load(x0 + i + Lane<TSimd, TVector>(5)), sum5);
            Prefetch.Far(w6 + (i * TElement.Bytes) + AheadBytes);
            sum6 = TSimd.MultiplyAdd(TElement.Load<TSimd, TVector>(w6 + (i * TElement.Bytes)), TSimd.Load(x0 + i + Lane<TSimd, TVector>(6)), sum6);
            Prefetch.Far(w7 + (i * TElement.Bytes) + AheadBytes);
            sum7 = TSimd.MultiplyAdd(TElement.Load<TSimd, TVector>(w7 + (i * TElement.Bytes)), TSimd.Load(x0 + i + Lane<TSimd, TVector>(7)), sum7);
        }

        TSimd.Store(sum0, lanes);
        TSimd.Store(sum1, lanes + (1 * TSimd.Count));
        TSimd.Store(sum2, lanes + (2 * TSimd.Count));
        TSimd.Store(sum3, lanes + (3 * TSimd.Count));
        TSimd.Store(sum4, lanes + (4 * TSimd.Count));
        TSimd.Store(sum5, lanes + (5 * TSimd.Count));
        TSimd.Store(sum6, lanes + (6 * TSimd.Count));
        TSimd.Store(sum7, lanes + (7 * TSimd.Count));
    }

    /// <summary>Two rows of x and four vectors of weights.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void TwoRows<TSimd, TVector, TElement>(float** x, byte** w, nint count, float* lanes)
        where TSimd : struct, ISimd<TVector>
        where TVector : struct
        where TElement : struct, IStoredElement
    {
        float* x0 = x[0];
        float* x1 = x[1];
        byte* w0 = w[0];
        byte* w1 = w[1];
        byte* w2 = w[2];
        byte* w3 = w[3];
        TVector sum00 = TSimd.Load(lanes);
        TVector sum01 = TSimd.Load(lanes + (1 * TSimd.Count));
        TVector sum02 = TSimd.Load(lanes + (2 * TSimd.Count));
        TVector sum03 = TSimd.Load(lanes + (3 * TSimd.Count));
        TVector sum10 = TSimd.Load(lanes + (4 * TSimd.Count));
        TVector sum11 = TSimd.Load(lanes + (5 * TSimd.Count));
        TVector sum12 = TSimd.Load(lanes + (6 * TSimd.Count));
        TVector sum13 = TSimd.Load(lanes + (7 * TSimd.Count));
        for (nint i = 0; i < count; i += SummationOrder.Lanes)
        {
            Prefetch.Far(w0 + (i * TElement.Bytes) + AheadBytes);
            TVector weight = TElement.Load<TSimd, TVector>(w0 + (i * TElement.Bytes));
            sum00 = TSimd.MultiplyAdd(weight, TSimd.Load(x0 + i + Lane<TSimd, TVector>(0)), sum00);
            sum10 = TSimd.MultiplyAdd(weight, TSimd.Load(x1 + i + Lane<TSimd, TVector>(0)), sum10);
            Prefetch.Far(w1 + (i * TElement.Bytes) + AheadBytes);
            weight = TElement.Load<TSimd, TVector>(w1 + (i * TElement.Bytes));
            sum01 = TSimd.MultiplyAdd(weight, TSimd.Load(x0 + i + Lane<TSimd, TVector>(1)), sum01);
            sum11 = TSimd.MultiplyAdd(weight, TSimd.Load(x1 + i + Lane<TSimd, TVector>(1)), sum11);
            Prefetch.Far(w2 + (i * TElement.Bytes) + AheadBytes);
            weight = TElement.Load<TSimd, TVector>(w2 + (i * TElement.Bytes));
            sum02 = TSimd.MultiplyAdd(weight, TSimd.Load(x0 + i + Lane<TSimd, TVector>(2)), sum02);
            sum12 = TSimd.MultiplyAdd(weight, TSimd.Load(x1 + i + Lane<TSimd, TVector>(2)), sum12);
            Prefetch.Far(w3 + (i * TElement.Bytes) + AheadBytes);
            weight = TElement.Load<TSimd, TVector>(w3 + (i * TElement.Bytes));
            sum03 = TSimd.MultiplyAdd(weight, TSimd.Load(x0 + i + Lane<TSimd, TVector>(3)), sum03);
            sum13 = TSimd.MultiplyAdd(weight, TSimd.Load(x1 + i + Lane<TSimd, TVector>(3)), sum13);
        }

        TSimd.Store(sum00, lanes);
        TSimd.Store(sum01, lanes + (1 * TSimd.Count));
        TSimd.Store(sum02, lanes + (2 * TSimd.Count));
        TSimd.Store(sum03, lanes + (3 * TSimd.Count));
        TSimd.Store(sum10, lanes + (4 * TSimd.Count));
        TSimd.Store(sum11, lanes + (5 * TSimd.Count));
        TSimd.Store(sum12, lanes + (6 * TSimd.Count));
        TSimd.Store(sum13, lanes + (7 * TSimd.Count));
    }

    /// <summary>Four rows of x and four vectors of weights.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void FourRows<TSimd, TVector, TElement>(float** x, byte** w, nint count, float* lanes)
        where TSimd : struct, ISimd<TVector>
        where TVector : struct
        where TElement : struct, IStoredElement
    {
        float* x0 = x[0];
        float* x1 = x[1];
        float* x2 = x[2];
        float* x3 = x[3];
        byte* w0 = w[0];
        byte* w1 = w[1];
        byte* w2 = w[2];
        byte* w3 = w[3];
        TVector sum00 = TSimd.Load(lanes);
        TVector sum01 = TSimd.Load(lanes + (1 * TSimd.Count));
        TVector sum02 = TSimd.Load(lanes + (2 * TSimd.Count));
        TVector sum03 = TSimd.Load(lanes + (3 * TSimd.Count));
        TVector sum10 = TSimd.Load(lanes + (4 * TSimd.Count));
        TVector sum11 = TSimd.Load(lanes + (5 * TSimd.Count));
        TVector sum12 = TSimd.Load(lanes + (6 * TSimd.Count));
        TVector sum13 = TSimd.Load(lanes + (7 * TSimd.Count));
        TVector sum20 = TSimd.Load(lanes + (8 * TSimd.Count));
        TVector sum21 = TSimd.Load(lanes + (9 * TSimd.Count));
        TVector sum22 = TSimd.Load(lanes + (10 * TSimd.Count));
        TVector sum23 = TSimd.Load(lanes + (11 * TSimd.Count));
        TVector sum30 = TSimd.Load(lanes + (12 * TSimd.Count));
        TVector sum31 = TSimd.Load(lanes + (13 * TSimd.Count));
        TVector sum32 = TSimd.Load(lanes + (14 * TSimd.Count));
        TVector sum33 = TSimd.Load(lanes + (15 * TSimd.Count));
        for (nint i = 0; i < count; i += SummationOrder.Lanes)
        {
            Prefetch.Far(w0 + (i * TElement.Bytes) + AheadBytes);
            TVector weight = TElement.Load<TSimd, TVector>(w0 + (i * TElement.Bytes));
            sum00 = TSimd.MultiplyAdd(weight, TSimd.Load(x0 + i + Lane<TSimd, TVector>(0)), sum00);
            sum10 = TSimd.MultiplyAdd(weight, TSimd.Load(x1 + i + Lane<TSimd, TVector>(0)), sum10);
            sum20 = TSimd.MultiplyAdd(weight, TSimd.Load(x2 + i + Lane<TSimd, TVector>(0)), sum20);
            sum30 = TSimd.MultiplyAdd(weight, TSimd.Load(x3 + i + Lane<TSimd, TVector>(0)), sum30);
            Prefetch.Far(w1 + (i * TElement.Bytes) + AheadBytes);
            weight = TElement.Load<TSimd, TVector>(w1 + (i * TElement.Bytes));
            sum01 = TSimd.MultiplyAdd(weight, TSimd.Load(x0 + i + Lane<TSimd, TVector>(1)), sum01);
            sum11 = TSimd.MultiplyAdd(weight, TSimd.Load(x1 + i + Lane<TSimd, TVector>(1)), sum11);
            sum21 = TSimd.MultiplyAdd(weight, TSimd.Load(x2 + i + Lane<TSimd, TVector>(1)), sum21);
            sum31 = TSimd.MultiplyAdd(weight, TSimd.Load(x3 + i + Lane<TSimd, TVector>(1)), sum31);
            Prefetch.Far(w2 + (i * TElement.Bytes) + AheadBytes);
            weight = TElement.Load<TSimd, TVector>(w2 + (i * TElement.Bytes));
            sum02 = TSimd.MultiplyAdd(weight, TSimd.Load(x0 + i + Lane<TSimd, TVector>(2)), sum02);
            sum12 = TSimd.MultiplyAdd(weight, TSimd.Load(x1 + i + Lane<TSimd, TVector>(2)), sum12);
            sum22 = TSimd.MultiplyAdd(weight, TSimd.Load(x2 + i + Lane<TSimd, TVector>(2)), sum22);
            sum32 = TSimd.MultiplyAdd(weight, TSimd.Load(x3 + i + Lane<TSimd, TVector>(2)), sum32);
            Prefetch.Far(w3 + (i * TElement.Bytes) + AheadBytes);
            weight = TElement.Load<TSimd, TVector>(w3 + (i * TElement.Bytes));
            sum03 = TSimd.MultiplyAdd(weight, TSimd.Load(x0 + i + Lane<TSimd, TVector>(3)), sum03);
            sum13 = TSimd.MultiplyAdd(weight, TSimd.Load(x1 + i + Lane<TSimd, TVector>(3)), sum13);
            sum23 = TSimd.MultiplyAdd(weight, TSimd.Load(x2 + i + Lane<TSimd, TVector>(3)), sum23);
            sum33 = TSimd.MultiplyAdd(weight, TSimd.Load(x3 + i + Lane<TSimd, TVector>(3)), sum33);
        }

        TSimd.Store(sum00, lanes);
        TSimd.Store(sum01, lanes + (1 * TSimd.Count));
        TSimd.Store(sum02, lanes + (2 * TSimd.Count));
        TSimd.Store(sum03, lanes + (3 * TSimd.Count));
        TSimd.Store(sum10, lanes + (4 * TSimd.Count));
        TSimd.Store(sum11, lanes + (5 * TSimd.Count));
        TSimd.Store(sum12, lanes + (6 * TSimd.Count));
        TSimd.Store(sum13, lanes + (7 * TSimd.Count));
        TSimd.Store(sum20, lanes + (8 * TSimd.Count));
        TSimd.Store(sum21, lanes + (9 * TSimd.Count));
        TSimd.Store(sum22, lanes + (10 * TSimd.Count));
        TSimd.Store(sum23, lanes + (11 * TSimd.Count));
        TSimd.Store(sum30, lanes + (12 * TSimd.Count));
        TSimd.Store(sum31, lanes + (13 * TSimd.Count));
        TSimd.Store(sum32, lanes + (14 * TSimd.Count));
        TSimd.Store(sum33, lanes + (15 * TSimd.Count));
    }
}
