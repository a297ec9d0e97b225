using XComposer2.Native.Cuda;
using XComposer2.Native.Graph;
using XComposer2.Native.Kernels;
using Xunit;

namespace XComposer2.Native.GpuTests;

public sealed class NormTests(GpuDevice device)
{
    private const float Epsilon = 1e-5f;

    public static TheoryData<DType, DType, int, int> Cases => new()
    {
        { DType.F32, DType.F32, 1, 4 },
        { DType.F32, DType.F32, 31, 256 },
        { DType.F16, DType.F16, 5, 132 },
        { DType.F16, DType.F32, 9, 1024 },
        { DType.BF16, DType.BF16, 65, 384 },
        { DType.BF16, DType.BF16, 3, 4096 },
    };

    [Theory]
    [MemberData(nameof(Cases))]
    public void Rms_norm_matches_doubles(DType storage, DType stored, int rows, int columns)
    {
        RmsNorm kernel = new(storage, stored, columns);
        float[] x = StoredFloats.Random(rows * columns, 1, DType.F32, 5), gain = StoredFloats.Random(columns, 2, storage);
        using DeviceArray<float> input = device.Upload(x);
        using DeviceFloats gains = device.Upload(gain, storage);
        using DeviceFloats output = device.Allocate(x.Length, stored);
        device.Run(kernel, kernel.Geometry(rows), new RmsNormArguments(
            new DevicePointer(input.Address), new DevicePointer(gains.Address), new DevicePointer(output.Address), Epsilon, (uint)rows));
        Check(x, columns, stored, output.Download(), centred: false, (value, column) => value * gain[column]);
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Layer_norm_matches_doubles(DType storage, DType stored, int rows, int columns)
    {
        LayerNorm kernel = new(storage, stored, columns);
        float[] x = [.. StoredFloats.Random(rows * columns, 1, DType.F32, 5).Select(value => value + 20)];
        float[] gain = StoredFloats.Random(columns, 2, storage), bias = StoredFloats.Random(columns, 3, storage);
        using DeviceArray<float> input = device.Upload(x);
        using DeviceFloats gains = device.Upload(gain, storage);
        using DeviceFloats biases = device.Upload(bias, storage);
        using DeviceFloats output = device.Allocate(x.Length, stored);
        device.Run(kernel, kernel.Geometry(rows), new LayerNormArguments(
            new DevicePointer(input.Address), new DevicePointer(gains.Address), new DevicePointer(biases.Address), new DevicePointer(output.Address), Epsilon, (uint)rows));
        Check(x, columns, stored, output.Download(), centred: true, (value, column) => (value * gain[column]) + bias[column]);
    }

    private static void Check(float[] x, int columns, DType stored, float[] found, bool centred, Func<double, int, double> finish)
    {
        double[] expected = new double[x.Length], bounds = new double[x.Length];
        for (int row = 0; row < x.Length / columns; row++)
        {
            double[] values = [.. x.AsSpan(row * columns, columns).ToArray().Select(value => (double)value)];
            double mean = centred ? values.Average() : 0;
            double factor = 1 / Math.Sqrt(values.Average(value => (value - mean) * (value - mean)) + Epsilon);
            for (int column = 0; column < columns; column++)
            {
                int index = (row * columns) + column;
                double normal = (values[column] - mean) * factor;
                expected[index] = finish(normal, column);

                // Rounding of mean and factor, of a value up to 20 from zero, and of the operations after them.
                double scale = Math.Abs(finish(1, column)) + Math.Abs(finish(0, column));
                double rounding = Accuracy.Rounding(DType.F32) * (8 + Math.Sqrt(columns));
                bounds[index] = (rounding * scale * (Math.Abs(normal) + (Math.Abs(values[column]) * factor) + 1)) + Accuracy.Stored(expected[index], stored);
            }
        }

        Accuracy.Within(expected, bounds, found, $"{stored} of {columns} columns");
    }
}
