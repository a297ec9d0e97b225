using System.Runtime.CompilerServices;
using XComposer2.Native.Graph;

namespace XComposer2.Native.Cpu;

/// <summary>From finished sums to outputs: scales of integer weights, Partial LoRA, bias, activation or gate, residual.</summary>
internal static unsafe class LinearEpilogue
{
    /// <summary>sums += scale * low, element by element.</summary>
    /// <param name="low">What Partial LoRA's second product gave; as many floats as the sums.</param>
    /// <param name="scale">alpha / rank.</param>
    /// <param name="sums">Floats of visual rows.</param>
    /// <param name="count">Floats, whole vectors.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void AddScaled<TSimd, TVector>(float* low, float scale, float* sums, nint count)
        where TSimd : struct, ISimd<TVector>
        where TVector : struct
    {
        TVector factor = TSimd.Broadcast(scale);
        for (nint i = 0; i < count; i += TSimd.Count)
            TSimd.Store(TSimd.MultiplyAdd(factor, TSimd.Load(low + i), TSimd.Load(sums + i)), sums + i);
    }

    /// <summary>sums[r, o] *= scales[first + o]: what integers stand for.</summary>
    /// <param name="weight">Its scales; nothing happens where rows have none.</param>
    /// <param name="sums">[rows, <paramref name="stride"/>].</param>
    /// <param name="rows">Rows of x.</param>
    /// <param name="stride">Floats from row to row.</param>
    /// <param name="first">First output.</param>
    /// <param name="count">Outputs.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void ScaleRows<TSimd, TVector>(in WeightMatrix weight, float* sums, int rows, nint stride, int first, int count)
        where TSimd : struct, ISimd<TVector>
        where TVector : struct
    {
        if (!weight.Format.HasRowScales)
            return;
        float* scales = (float*)weight.Scales + first;
        for (int row = 0; row < rows; row++, sums += stride)
        {
            int i = 0;
            for (; i <= count - TSimd.Count; i += TSimd.Count)
                TSimd.Store(TSimd.Multiply(TSimd.Load(sums + i), TSimd.Load(scales + i)), sums + i);
            for (; i < count; i++)
                sums[i] *= scales[i];
        }
    }

    /// <summary>Writes outputs <paramref name="first"/> to first + <paramref name="count"/> of the rows of <paramref name="order"/>.</summary>
    /// <param name="problem">Operands.</param>
    /// <param name="sums">[rows, <paramref name="stride"/>].</param>
    /// <param name="upSums">As the sums; null where the linear is not gated.</param>
    /// <param name="stride">Floats from row to row; whole vectors, so that reading beyond the last output is no harm.</param>
    /// <param name="order">Which row is which.</param>
    /// <param name="first">First output.</param>
    /// <param name="count">Outputs.</param>
    /// <param name="bias">Room for stride floats.</param>
    public static void Finish<TSimd, TVector>(
        in LinearProblem problem, float* sums, float* upSums, int stride, RowOrder order, int first, int count, float* bias)
        where TSimd : struct, ISimd<TVector>
        where TVector : struct
    {
        if (upSums is not null)
        {
            for (int row = 0; row < order.Count; row++)
                Gate<TSimd, TVector>(sums + ((nint)row * stride), upSums + ((nint)row * stride), problem.Output + (order[row] * problem.Outputs) + first, count);
            return;
        }

        if (problem.Bias is { } vector)
            FloatLoads.Widen<TSimd, TVector>(vector.Data, vector.Type, first, bias, count);
        else
            bias = null;
        switch (problem.Activation)
        {
            case Activation.QuickGelu: Rows<TSimd, TVector, QuickGelu>(problem, sums, stride, order, first, count, bias); break;
            case Activation.Gelu: Rows<TSimd, TVector, Gelu>(problem, sums, stride, order, first, count, bias); break;
            default: Rows<TSimd, TVector, Identity>(problem, sums, stride, order, first, count, bias); break;
        }
    }

    private static void Rows<TSimd, TVector, TActivation>(
        in LinearProblem problem, float* sums, int stride, RowOrder order, int first, int count, float* bias)
        where TSimd : struct, ISimd<TVector>
        where TVector : struct
        where TActivation : struct, IActivation
    {
        for (int row = 0; row < order.Count; row++)
        {
            nint start = (order[row] * problem.Outputs) + first;
            Row<TSimd, TVector, TActivation>(
                sums + ((nint)row * stride), bias, problem.Residual is null ? null : problem.Residual + start, problem.Output + start, count);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Row<TSimd, TVector, TActivation>(float* sums, float* bias, float* residual, float* output, int count)
        where TSimd : struct, ISimd<TVector>
        where TVector : struct
        where TActivation : struct, IActivation
    {
        float* last = stackalloc float[2 * SummationOrder.Lanes];
        for (int i = 0; i < count; i += TSimd.Count)
        {
            int left = count - i;
            float* destination = output + i;
            float* addend = residual + i;
            if (left < TSimd.Count)
            {
                destination = last;
                addend = last + SummationOrder.Lanes;
                for (int j = 0; j < left && residual is not null; j++)
                    addend[j] = residual[i + j];
            }

            TVector value = TSimd.Load(sums + i);
            if (bias is not null)
                value = TSimd.Add(value, TSimd.Load(bias + i));
            value = TActivation.Apply<TSimd, TVector>(value);
            if (residual is not null)
                value = TSimd.Add(value, TSimd.Load(addend));
            TSimd.Store(value, destination);
            for (int j = 0; j < left && destination == last; j++)
                output[i + j] = last[j];
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Gate<TSimd, TVector>(float* gate, float* up, float* output, int count)
        where TSimd : struct, ISimd<TVector>
        where TVector : struct
    {
        float* last = stackalloc float[SummationOrder.Lanes];
        for (int i = 0; i < count; i += TSimd.Count)
        {
            int left = count - i;
            TVector value = TSimd.Multiply(Activations.Silu<TSimd, TVector>(TSimd.Load(gate + i)), TSimd.Load(up + i));
            TSimd.Store(value, left < TSimd.Count ? last : output + i);
            for (int j = 0; j < left && left < TSimd.Count; j++)
                output[i + j] = last[j];
        }
    }

    private interface IActivation
    {
        static abstract TVector Apply<TSimd, TVector>(TVector x)
            where TSimd : struct, ISimd<TVector>
            where TVector : struct;
    }

    private readonly struct Identity : IActivation
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static TVector Apply<TSimd, TVector>(TVector x)
            where TSimd : struct, ISimd<TVector>
            where TVector : struct => x;
    }

    private readonly struct QuickGelu : IActivation
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static TVector Apply<TSimd, TVector>(TVector x)
            where TSimd : struct, ISimd<TVector>
            where TVector : struct => Activations.QuickGelu<TSimd, TVector>(x);
    }

    private readonly struct Gelu : IActivation
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static TVector Apply<TSimd, TVector>(TVector x)
            where TSimd : struct, ISimd<TVector>
            where TVector : struct => Activations.Gelu<TSimd, TVector>(x);
    }
}
