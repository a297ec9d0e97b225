using System.Runtime.CompilerServices;

namespace XComposer2.Native.Cpu;

// The loops themselves. A kernel leaves its running sums in lanes: row by row, vector by vector.
internal static unsafe partial class DotProducts
{
    // One row and eight vectors of weights.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void OneRow<TSimd, TVector, TElement>(in Operands operands, int row, int output, float* lanes)
        where TSimd : struct, ISimd<TVector>
        where TVector : struct
        where TElement : struct, IFloatElement
    {
        float* x0 = operands.Row(row);
        byte* w0 = operands.Weights<TSimd, TVector>(output, 0);
        byte* w1 = operands.Weights<TSimd, TVector>(output, 1);
        byte* w2 = operands.Weights<TSimd, TVector>(output, 2);
        byte* w3 = operands.Weights<TSimd, TVector>(output, 3);
        byte* w4 = operands.Weights<TSimd, TVector>(output, 4);
        byte* w5 = operands.Weights<TSimd, TVector>(output, 5);
        byte* w6 = operands.Weights<TSimd, TVector>(output, 6);
        byte* w7 = operands.Weights<TSimd, TVector>(output, 7);
        TVector sum0 = TSimd.Broadcast(0f), sum1 = TSimd.Broadcast(0f), sum2 = TSimd.Broadcast(0f), sum3 = TSimd.Broadcast(0f), sum4 = TSimd.Broadcast(0f), sum5 = TSimd.Broadcast(0f), sum6 = TSimd.Broadcast(0f), sum7 = TSimd.Broadcast(0f);
        nint end = operands.WholeSteps;
        for (bool whole = true; ; whole = false)
        {
            for (nint i = 0; i < end; i += SummationOrder.Lanes)
            {
                sum0 = TSimd.MultiplyAdd(TElement.Load<TSimd, TVector>(w0 + (i * TElement.Bytes)), TSimd.Load(x0 + i + Lane<TSimd, TVector>(0)), sum0);
                sum1 = TSimd.MultiplyAdd(TElement.Load<TSimd, TVector>(w1 + (i * TElement.Bytes)), TSimd.Load(x0 + i + Lane<TSimd, TVector>(1)), sum1);
                sum2 = TSimd.MultiplyAdd(TElement.Load<TSimd, TVector>(w2 + (i * TElement.Bytes)), TSimd.Load(x0 + i + Lane<TSimd, TVector>(2)), sum2);
                sum3 = TSimd.MultiplyAdd(TElement.Load<TSimd, TVector>(w3 + (i * TElement.Bytes)), TSimd.Load(x0 + i + Lane<TSimd, TVector>(3)), sum3);
                sum4 = TSimd.MultiplyAdd(TElement.Load<TSimd, TVector>(w4 + (i * TElement.Bytes)), TSimd.Load(x0 + i + Lane<TSimd, TVector>(4)), sum4);
                sum5 = TSimd.MultiplyAdd(TElement.Load<TSimd, TVector>(w5 + (i * TElement.Bytes)), TSimd.Load(x0 + i + Lane<TSimd, TVector>(5)), sum5);
                sum6 = TSimd.MultiplyAdd(TElement.Load<TSimd, TVector>(w6 + (i * TElement.Bytes)), TSimd.Load(x0 + i + Lane<TSimd, TVector>(6)), sum6);
                sum7 = TSimd.MultiplyAdd(TElement.Load<TSimd, TVector>(w7 + (i * TElement.Bytes)), TSimd.Load(x0 + i + Lane<TSimd, TVector>(7)), sum7);
            }

            if (!whole || !operands.HasTail)
                break;
            end = SummationOrder.Lanes;
            x0 = operands.RowTail(row, 0);
            w0 = operands.WeightsTail<TSimd, TVector>(output, 0);
            w1 = operands.WeightsTail<TSimd, TVector>(output, 1);
            w2 = operands.WeightsTail<TSimd, TVector>(output, 2);
            w3 = operands.WeightsTail<TSimd, TVector>(output, 3);
            w4 = operands.WeightsTail<TSimd, TVector>(output, 4);
            w5 = operands.WeightsTail<TSimd, TVector>(output, 5);
            w6 = operands.WeightsTail<TSimd, TVector>(output, 6);
            w7 = operands.WeightsTail<TSimd, TVector>(output, 7);
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

    // Two rows and four vectors of weights.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void TwoRows<TSimd, TVector, TElement>(in Operands operands, int row, int output, float* lanes)
        where TSimd : struct, ISimd<TVector>
        where TVector : struct
        where TElement : struct, IFloatElement
    {
        float* x0 = operands.Row(row);
        float* x1 = operands.Row(row + 1);
        byte* w0 = operands.Weights<TSimd, TVector>(output, 0);
        byte* w1 = operands.Weights<TSimd, TVector>(output, 1);
        byte* w2 = operands.Weights<TSimd, TVector>(output, 2);
        byte* w3 = operands.Weights<TSimd, TVector>(output, 3);
        TVector sum00 = TSimd.Broadcast(0f), sum01 = TSimd.Broadcast(0f), sum02 = TSimd.Broadcast(0f), sum03 = TSimd.Broadcast(0f);
        TVector sum10 = TSimd.Broadcast(0f), sum11 = TSimd.Broadcast(0f), sum12 = TSimd.Broadcast(0f), sum13 = TSimd.Broadcast(0f);
        nint end = operands.WholeSteps;
        for (bool whole = true; ; whole = false)
        {
            for (nint i = 0; i < end; i += SummationOrder.Lanes)
            {
                TVector weight = TElement.Load<TSimd, TVector>(w0 + (i * TElement.Bytes));
                sum00 = TSimd.MultiplyAdd(weight, TSimd.Load(x0 + i + Lane<TSimd, TVector>(0)), sum00);
                sum10 = TSimd.MultiplyAdd(weight, TSimd.Load(x1 + i + Lane<TSimd, TVector>(0)), sum10);
                weight = TElement.Load<TSimd, TVector>(w1 + (i * TElement.Bytes));
                sum01 = TSimd.MultiplyAdd(weight, TSimd.Load(x0 + i + Lane<TSimd, TVector>(1)), sum01);
                sum11 = TSimd.MultiplyAdd(weight, TSimd.Load(x1 + i + Lane<TSimd, TVector>(1)), sum11);
                weight = TElement.Load<TSimd, TVector>(w2 + (i * TElement.Bytes));
                sum02 = TSimd.MultiplyAdd(weight, TSimd.Load(x0 + i + Lane<TSimd, TVector>(2)), sum02);
                sum12 = TSimd.MultiplyAdd(weight, TSimd.Load(x1 + i + Lane<TSimd, TVector>(2)), sum12);
                weight = TElement.Load<TSimd, TVector>(w3 + (i * TElement.Bytes));
                sum03 = TSimd.MultiplyAdd(weight, TSimd.Load(x0 + i + Lane<TSimd, TVector>(3)), sum03);
                sum13 = TSimd.MultiplyAdd(weight, TSimd.Load(x1 + i + Lane<TSimd, TVector>(3)), sum13);
            }

            if (!whole || !operands.HasTail)
                break;
            end = SummationOrder.Lanes;
            x0 = operands.RowTail(row, 0);
            x1 = operands.RowTail(row + 1, 1);
            w0 = operands.WeightsTail<TSimd, TVector>(output, 0);
            w1 = operands.WeightsTail<TSimd, TVector>(output, 1);
            w2 = operands.WeightsTail<TSimd, TVector>(output, 2);
            w3 = operands.WeightsTail<TSimd, TVector>(output, 3);
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

    // Four rows and four vectors of weights.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void FourRows<TSimd, TVector, TElement>(in Operands operands, int row, int output, float* lanes)
        where TSimd : struct, ISimd<TVector>
        where TVector : struct
        where TElement : struct, IFloatElement
    {
        float* x0 = operands.Row(row);
        float* x1 = operands.Row(row + 1);
        float* x2 = operands.Row(row + 2);
        float* x3 = operands.Row(row + 3);
        byte* w0 = operands.Weights<TSimd, TVector>(output, 0);
        byte* w1 = operands.Weights<TSimd, TVector>(output, 1);
        byte* w2 = operands.Weights<TSimd, TVector>(output, 2);
        byte* w3 = operands.Weights<TSimd, TVector>(output, 3);
        TVector sum00 = TSimd.Broadcast(0f), sum01 = TSimd.Broadcast(0f), sum02 = TSimd.Broadcast(0f), sum03 = TSimd.Broadcast(0f);
        TVector sum10 = TSimd.Broadcast(0f), sum11 = TSimd.Broadcast(0f), sum12 = TSimd.Broadcast(0f), sum13 = TSimd.Broadcast(0f);
        TVector sum20 = TSimd.Broadcast(0f), sum21 = TSimd.Broadcast(0f), sum22 = TSimd.Broadcast(0f), sum23 = TSimd.Broadcast(0f);
        TVector sum30 = TSimd.Broadcast(0f), sum31 = TSimd.Broadcast(0f), sum32 = TSimd.Broadcast(0f), sum33 = TSimd.Broadcast(0f);
        nint end = operands.WholeSteps;
        for (bool whole = true; ; whole = false)
        {
            for (nint i = 0; i < end; i += SummationOrder.Lanes)
            {
                TVector weight = TElement.Load<TSimd, TVector>(w0 + (i * TElement.Bytes));
                sum00 = TSimd.MultiplyAdd(weight, TSimd.Load(x0 + i + Lane<TSimd, TVector>(0)), sum00);
                sum10 = TSimd.MultiplyAdd(weight, TSimd.Load(x1 + i + Lane<TSimd, TVector>(0)), sum10);
                sum20 = TSimd.MultiplyAdd(weight, TSimd.Load(x2 + i + Lane<TSimd, TVector>(0)), sum20);
                sum30 = TSimd.MultiplyAdd(weight, TSimd.Load(x3 + i + Lane<TSimd, TVector>(0)), sum30);
                weight = TElement.Load<TSimd, TVector>(w1 + (i * TElement.Bytes));
                sum01 = TSimd.MultiplyAdd(weight, TSimd.Load(x0 + i + Lane<TSimd, TVector>(1)), sum01);
                sum11 = TSimd.MultiplyAdd(weight, TSimd.Load(x1 + i + Lane<TSimd, TVector>(1)), sum11);
                sum21 = TSimd.MultiplyAdd(weight, TSimd.Load(x2 + i + Lane<TSimd, TVector>(1)), sum21);
                sum31 = TSimd.MultiplyAdd(weight, TSimd.Load(x3 + i + Lane<TSimd, TVector>(1)), sum31);
                weight = TElement.Load<TSimd, TVector>(w2 + (i * TElement.Bytes));
                sum02 = TSimd.MultiplyAdd(weight, TSimd.Load(x0 + i + Lane<TSimd, TVector>(2)), sum02);
                sum12 = TSimd.MultiplyAdd(weight, TSimd.Load(x1 + i + Lane<TSimd, TVector>(2)), sum12);
                sum22 = TSimd.MultiplyAdd(weight, TSimd.Load(x2 + i + Lane<TSimd, TVector>(2)), sum22);
                sum32 = TSimd.MultiplyAdd(weight, TSimd.Load(x3 + i + Lane<TSimd, TVector>(2)), sum32);
                weight = TElement.Load<TSimd, TVector>(w3 + (i * TElement.Bytes));
                sum03 = TSimd.MultiplyAdd(weight, TSimd.Load(x0 + i + Lane<TSimd, TVector>(3)), sum03);
                sum13 = TSimd.MultiplyAdd(weight, TSimd.Load(x1 + i + Lane<TSimd, TVector>(3)), sum13);
                sum23 = TSimd.MultiplyAdd(weight, TSimd.Load(x2 + i + Lane<TSimd, TVector>(3)), sum23);
                sum33 = TSimd.MultiplyAdd(weight, TSimd.Load(x3 + i + Lane<TSimd, TVector>(3)), sum33);
            }

            if (!whole || !operands.HasTail)
                break;
            end = SummationOrder.Lanes;
            x0 = operands.RowTail(row, 0);
            x1 = operands.RowTail(row + 1, 1);
            x2 = operands.RowTail(row + 2, 2);
            x3 = operands.RowTail(row + 3, 3);
            w0 = operands.WeightsTail<TSimd, TVector>(output, 0);
            w1 = operands.WeightsTail<TSimd, TVector>(output, 1);
            w2 = operands.WeightsTail<TSimd, TVector>(output, 2);
            w3 = operands.WeightsTail<TSimd, TVector>(output, 3);
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
