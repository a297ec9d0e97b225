using System.Runtime.InteropServices;
using XComposer2.Native.Graph;
using XComposer2.Native.Kernels;

namespace XComposer2.Native.GpuTests;

/// <summary>Floating numbers as they are stored: rounded to nearest even.</summary>
public static class StoredFloats
{
    /// <summary>Values spread like activations (normal, deviation <paramref name="scale"/>), the same for the same seed, exact in the storage type.</summary>
    public static float[] Random(int count, int seed, DType storage, double scale = 1)
    {
        Random random = new(seed);
        float[] values = new float[count];
        for (int i = 0; i < count; i++)
            values[i] = Round(scale * Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble()), storage);
        return values;
    }

    public static float Round(double value, DType storage) => storage switch
    {
        DType.F16 => (float)(Half)value,
        DType.BF16 => WidenBFloat16(NarrowToBFloat16((float)value)),
        _ => (float)value,
    };

    public static byte[] Encode(ReadOnlySpan<float> values, DType storage)
    {
        byte[] bytes = new byte[values.Length * storage.ElementBytes()];
        Span<ushort> halves = MemoryMarshal.Cast<byte, ushort>(bytes.AsSpan());
        if (storage == DType.F32) MemoryMarshal.AsBytes(values).CopyTo(bytes);
        else if (storage == DType.F16)
            for (int i = 0; i < values.Length; i++)
                halves[i] = BitConverter.HalfToUInt16Bits((Half)values[i]);
        else
            for (int i = 0; i < values.Length; i++)
                halves[i] = NarrowToBFloat16(values[i]);
        return bytes;
    }

    public static float[] Decode(ReadOnlySpan<byte> bytes, DType storage)
    {
        if (storage == DType.F32) return MemoryMarshal.Cast<byte, float>(bytes).ToArray();
        ReadOnlySpan<ushort> halves = MemoryMarshal.Cast<byte, ushort>(bytes);
        float[] values = new float[halves.Length];
        for (int i = 0; i < values.Length; i++)
            values[i] = storage == DType.F16 ? (float)BitConverter.UInt16BitsToHalf(halves[i]) : WidenBFloat16(halves[i]);
        return values;
    }

    private static ushort NarrowToBFloat16(float value)
    {
        uint bits = BitConverter.SingleToUInt32Bits(value);
        return float.IsNaN(value) ? (ushort)0x7FFF : (ushort)((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16);
    }

    private static float WidenBFloat16(ushort bits) => BitConverter.UInt32BitsToSingle((uint)bits << 16);
}
