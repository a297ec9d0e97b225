using System.Runtime.InteropServices;
using XComposer2.Native.Cpu;
using XComposer2.Native.Graph;
using Xunit;

namespace XComposer2.Native.UnitTests;

/// <summary>Floats or 8-bit integers in native memory, with guard zones on both sides and no more than element alignment.</summary>
public sealed unsafe class NativeFloats : IDisposable
{
    private const int BorderBytes = 132;

    private const byte Border = 0xFB;

    private readonly byte* memory;

    private readonly long elementBytes;

    private readonly int count;

    private readonly DType type;

    private readonly string name;

    public NativeFloats(int count, string name = "buffer", DType type = DType.F32)
    {
        this.count = count;
        this.name = name;
        this.type = type;
        elementBytes = type.ElementBytes();
        long bytes = (count * elementBytes) + (2 * BorderBytes);
        memory = (byte*)NativeMemory.AlignedAlloc((nuint)bytes, 64);
        new Span<byte>(memory, checked((int)bytes)).Fill(Border);
        Data = (nint)(memory + BorderBytes);
    }

    public nint Data { get; }

    public float* Pointer => (float*)Data;

    public Span<float> Span => new((void*)Data, count);

    /// <summary>Values distributed like activations, deterministic in the seed, rounded to the stored type.</summary>
    public static NativeFloats Random(int count, int seed, double scale = 1, DType type = DType.F32, string name = "random")
    {
        var random = new Random(seed);
        var values = new double[count];
        for (int i = 0; i < count; i++)
            values[i] = scale * Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());
        return Of(values, type, name);
    }

    public static NativeFloats Of(ReadOnlySpan<double> values, DType type = DType.F32, string name = "values")
    {
        var buffer = new NativeFloats(values.Length, name, type);
        for (int i = 0; i < values.Length; i++)
            buffer.Set(i, values[i]);
        return buffer;
    }

    public void Fill(double value)
    {
        for (int i = 0; i < count; i++)
            Set(i, value);
    }

    public FloatMatrix Matrix(int rows, int columns)
    {
        Assert.Equal(count, rows * columns);
        return new FloatMatrix(Data, type, rows, columns);
    }

    /// <param name="rows">Rows.</param>
    /// <param name="columns">Columns.</param>
    /// <param name="scales">Row scales for I8; null for other types.</param>
    public WeightMatrix Weight(int rows, int columns, NativeFloats? scales = null)
    {
        Assert.Equal(count, rows * columns);
        return new WeightMatrix(scales is null ? WeightFormat.Of(type) : WeightFormat.Int8, rows, columns, Data, scales?.Data ?? 0);
    }

    public double this[int index] => type switch
    {
        DType.F32 => ((float*)Data)[index],
        DType.F16 => (double)((Half*)Data)[index],
        DType.I8 => ((sbyte*)Data)[index],
        _ => BitConverter.UInt32BitsToSingle((uint)((ushort*)Data)[index] << 16),
    };

    public double[] ToDoubles()
    {
        var values = new double[count];
        for (int i = 0; i < count; i++)
            values[i] = this[i];
        return values;
    }

    private void Set(int index, double value)
    {
        if (type == DType.F32)
            ((float*)Data)[index] = (float)value;
        else if (type == DType.F16)
            ((Half*)Data)[index] = (Half)value;
        else if (type == DType.I8)
            ((sbyte*)Data)[index] = (sbyte)Math.Clamp(Math.Round(value), -127, 127);
        else
            ((ushort*)Data)[index] = (ushort)(BitConverter.SingleToUInt32Bits((float)value) >> 16);
    }

    public void Dispose()
    {
        byte* end = (byte*)Data + (count * elementBytes);
        bool whole = new ReadOnlySpan<byte>(memory, BorderBytes).IndexOfAnyExcept(Border) < 0
            && new ReadOnlySpan<byte>(end, BorderBytes).IndexOfAnyExcept(Border) < 0;
        NativeMemory.AlignedFree(memory);
        Assert.True(whole, $"{name}: written outside its {count} elements");
    }
}
