using XComposer2.Native.Graph;
using XComposer2.Native.Kernels;
using XComposer2.Native.Model;
using Xunit;

namespace XComposer2.Native.GpuTests;

public sealed unsafe class QuantizeInt8Tests(GpuDevice device)
{
    public static TheoryData<KernelStorage, int, int> Matrices
    {
        get
        {
            TheoryData<KernelStorage, int, int> data = [];
            foreach (KernelStorage storage in Enum.GetValues<KernelStorage>())
                foreach ((int rows, int columns) in new[] { (1, 1), (3, 31), (5, 443), (7, 588), (9, 1028), (4, 4096) })
                    data.Add(storage, rows, columns);
            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Matrices))]
    public void The_bits_are_those_of_the_processor(KernelStorage storage, int rows, int columns)
    {
        float[] weights = StoredFloats.Random(rows * columns, columns, storage);
        // A row of zeros, one of numbers so small that its scale is rounded by a third, one whose steps are all halves.
        for (int column = 0; column < columns && rows > 2; column++)
        {
            weights[column] = column % 2 == 0 ? 0 : -0f;
            weights[columns + column] = StoredFloats.Round((column % 5) - 2, storage) * (storage == KernelStorage.F16 ? MathF.ScaleB(1, -24) : float.Epsilon * 95);
            weights[(2 * columns) + column] = column == 0 ? -127 : (column % 100) - 50.5f;
        }

        byte[] stored = StoredFloats.Encode(weights, storage);
        fixed (byte* data = stored)
        {
            using Int8Rows expected = Int8Rows.Quantize(new HostTensor((nint)data, storage.ToDType(), new Shape(rows, columns)), "w", TestContext.Current.CancellationToken);
            (sbyte[] quantized, float[] scales) = Quantize(stored, storage, rows, columns);
            Assert.Equal(new ReadOnlySpan<float>((void*)expected.Scales.Data, rows).ToArray(), scales);
            Assert.Equal(new ReadOnlySpan<sbyte>((void*)expected.Values.Data, rows * columns).ToArray(), quantized);
        }
    }

    [Theory]
    [MemberData(nameof(Matrices))]
    public void Steps_times_scale_are_rounded_once(KernelStorage storage, int rows, int columns)
    {
        Random random = new(columns);
        sbyte[] quantized = [.. Enumerable.Range(0, rows * columns).Select(_ => (sbyte)random.Next(-128, 128))];
        float[] scales = [.. Enumerable.Range(0, rows).Select(row => row == 1 ? 0 : random.NextSingle() / 100)];
        using DeviceArray<sbyte> source = device.Upload(quantized);
        using DeviceArray<float> factors = device.Upload(scales);
        using DeviceFloats values = device.Allocate(rows * columns, storage);
        DequantizeInt8 kernel = new(storage, columns);
        device.Run(kernel, kernel.Geometry(rows), new DequantizeInt8Arguments(new(source.Address), new(factors.Address), new(values.Address), (uint)columns));
        Assert.Equal(quantized.Select((steps, index) => StoredFloats.Round(steps * scales[index / columns], storage)), values.Download());
    }

    private (sbyte[] Quantized, float[] Scales) Quantize(byte[] stored, KernelStorage storage, int rows, int columns)
    {
        using DeviceArray<byte> values = device.Upload(stored);
        using DeviceArray<sbyte> quantized = device.Allocate<sbyte>(rows * columns);
        using DeviceArray<float> scales = device.Allocate<float>(rows);
        QuantizeInt8 kernel = new(storage, columns);
        device.Run(kernel, kernel.Geometry(rows), new QuantizeInt8Arguments(new(values.Address), new(quantized.Address), new(scales.Address), (uint)columns));
        return (quantized.Download(), scales.Download());
    }
}
