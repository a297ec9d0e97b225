using XComposer2.Native.Cuda;
using XComposer2.Native.Graph;
using XComposer2.Native.Kernels;
using Xunit;

namespace XComposer2.Native.GpuTests;

public sealed class LoraDownTests(GpuDevice device)
{
    private const float Scale = 2f;

    [Theory]
    [InlineData(DType.F32, 128, 8)]
    [InlineData(DType.F16, 256, 16)]
    [InlineData(DType.BF16, 200, 36)]
    [InlineData(DType.BF16, 4096, 512)]
    public void Visual_rows_are_computed_and_text_rows_are_zero(DType storage, int inputs, int outputs)
    {
        foreach (int rows in inputs > 1000 ? new[] { 5 } : [1, 31, 65, 129])
            foreach (Func<int, bool> isVisual in new Func<int, bool>[] { _ => true, _ => false, row => row % 3 == 1, row => row < 20 })
                Check(storage, rows, inputs, outputs, isVisual);
    }

    private void Check(DType storage, int rows, int inputs, int outputs, Func<int, bool> isVisual)
    {
        float[] x = StoredFloats.Random(rows * inputs, 1, storage);
        float[] a = StoredFloats.Random(outputs * inputs, 2, storage, 1 / Math.Sqrt(inputs));
        int[] visualRow = [.. Enumerable.Range(0, rows).Select(row => isVisual(row) ? row : -1)];
        double[] expected = new double[rows * outputs], bounds = new double[expected.Length];
        for (int row = 0; row < rows; row++)
        {
            // What a text row holds must not matter.
            if (visualRow[row] < 0)
            {
                x.AsSpan(row * inputs, inputs).Fill(float.NaN);
                continue;
            }

            for (int column = 0; column < outputs; column++)
            {
                ProductSum sum = default;
                for (int k = 0; k < inputs; k++)
                    sum.Add((double)x[(row * inputs) + k] * a[(column * inputs) + k]);
                int index = (row * outputs) + column;
                expected[index] = sum.Value * Scale;
                bounds[index] = (Scale * sum.Bound(storage)) + Accuracy.Stored(expected[index], storage);
            }
        }

        LoraDown kernel = new(storage, inputs, outputs, LinearTiles.ChooseForLora(device.Capability, storage));
        using DeviceFloats input = device.Upload(x, storage);
        using DeviceFloats matrix = device.Upload(a, storage);
        using DeviceArray<int> visual = device.Upload(visualRow);
        using DeviceFloats output = device.Allocate(expected.Length, storage);
        device.Run(kernel, kernel.Geometry(rows), new LoraDownArguments(
            new DevicePointer(input.Address), new DevicePointer(matrix.Address), new DevicePointer(visual.Address), new DevicePointer(output.Address), Scale, rows));
        float[] found = output.Download();
        for (int i = 0; i < bounds.Length; i++)
            if (visualRow[i / outputs] < 0)
                Assert.True(found[i] == 0, $"text row {i / outputs} holds {found[i]}");
        Accuracy.Within(expected, [.. bounds.Select(bound => Math.Max(bound, double.Epsilon))], found, $"{storage} {rows} x {inputs} x {outputs}");
    }
}
