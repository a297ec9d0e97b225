using System.Runtime.InteropServices;
using XComposer2.Native.Graph;

namespace XComposer2.Native.Model;

/// <summary>Values of small tensors, widened to F32.</summary>
public static unsafe class HostTensorValues
{
    /// <exception cref="ArgumentException">The tensor is not of a floating type.</exception>
    public static float[] ToFloats(HostTensor tensor)
    {
        float[] values = new float[checked((int)tensor.Shape.ElementCount)];
        switch (tensor.Type)
        {
            case DType.F32:
                new ReadOnlySpan<float>((void*)tensor.Data, values.Length).CopyTo(values);
                break;
            case DType.F16:
                ReadOnlySpan<Half> halves = new((void*)tensor.Data, values.Length);
                for (int i = 0; i < values.Length; i++)
                    values[i] = (float)halves[i];
                break;
            case DType.BF16:
                ReadOnlySpan<ushort> upper = new((void*)tensor.Data, values.Length);
                Span<uint> bits = MemoryMarshal.Cast<float, uint>(values.AsSpan());
                for (int i = 0; i < values.Length; i++)
                    bits[i] = (uint)upper[i] << 16;
                break;
            default:
                throw new ArgumentException($"{tensor.Type} is not a floating type", nameof(tensor));
        }
        return values;
    }
}
