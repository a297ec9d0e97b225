using XComposer2.Native.Graph;

namespace XComposer2.Native.TrainingTests;

/// <summary>Weights of integers as the floats that they stand for: (q - zero) * scale, rounded once.</summary>
internal static unsafe class Dequantized
{
    /// <returns>Pinned.</returns>
    public static float[] Of(WeightFormat format, int rows, int columns, Func<WeightPart, nint> part)
    {
        int bits = format.Elements.ElementBits(), groups = format.Groups(columns);
        byte* elements = (byte*)part(WeightPart.Elements);
        nint scales = part(WeightPart.Scales);
        byte* zeros = format.HasZeroPoints ? (byte*)part(WeightPart.ZeroPoints) : null;
        int* index = format.HasGroupIndex ? (int*)part(WeightPart.GroupIndex) : null;
        float[] values = GC.AllocateUninitializedArray<float>(rows * columns, pinned: true);
        for (int i = 0; i < values.Length; i++)
        {
            (int row, int column) = Math.DivRem(i, columns);
            int group = (row * groups) + (index is not null ? index[column] : format.HasRowScales ? 0 : column / format.GroupSize);
            int q = bits == 8 ? elements[i] : (elements[i / 2] >> (i % 2 * 4)) & 15;
            q = format.HasZeroPoints ? q - zeros[group] : q >= 1 << (bits - 1) ? q - (1 << bits) : q;
            values[i] = q * (format.ScaleType == DType.F32 ? ((float*)scales)[group] : (float)((Half*)scales)[group]);
        }

        return values;
    }
}

/// <summary>A source whose weights of integers are served as floats, so that the same graph is dense. Does not own the source.</summary>
internal sealed unsafe class DequantizedWeights(IWeightSource source) : IWeightSource
{
    private readonly Dictionary<string, float[]> made = [];

    public bool TryGet(string name, out HostTensor tensor)
    {
        if (!TryDescribe(name, out tensor))
            return false;
        if (!IsInteger(name, out WeightFormat format))
            return source.TryGet(name, out tensor);
        if (!made.TryGetValue(name, out float[]? values))
        {
            values = Dequantized.Of(format, tensor.Shape[0], tensor.Shape[1], part => source.TryGet(WeightFormat.NameOf(name, part), out HostTensor found) ? found.Data : 0);
            made.Add(name, values);
        }

        fixed (float* data = values)
            tensor = tensor with { Data = (nint)data };
        return true;
    }

    public bool TryDescribe(string name, out HostTensor facts)
    {
        if (!source.TryDescribe(name, out facts))
            return false;
        if (IsInteger(name, out _))
            facts = new HostTensor(0, DType.F32, facts.Shape);
        return true;
    }

    public bool TryGetFormat(string name, out WeightFormat format)
    {
        if (!source.TryGetFormat(name, out format))
            return false;
        format = format.IsFloat ? format : WeightFormat.F32;
        return true;
    }

    public void Dispose()
    {
    }

    private bool IsInteger(string name, out WeightFormat format) => source.TryGetFormat(name, out format) && !format.IsFloat;
}
