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

        using DeviceFloats input = device.Upload(x, storage);
        using DeviceFloats matrix = device.Upload(a, storage);
        using DeviceArray<int> visual = device.Upload(visualRow);
        using DeviceFloats output = device.Allocate(expected.Length, storage);
        OperationKernel kernel = LinearTiles.ChooseForLora(device.Capability, storage, inputs, outputs);
        LoraDownArguments arguments = new(
            new DevicePointer(input.Address), new DevicePointer(matrix.Address), new DevicePointer(visual.Address), new DevicePointer(output.Address), default, default, Scale, rows);
        Run(kernel, arguments, 1);
        Compare(output.Download(), $"{storage} {rows} x {inputs} x {outputs}");
        // A part of K for each slice of it; the order in which they arrive is the schedule's.
        int parts = inputs / 64;
        EmulatedConditions.ForEach(device, condition =>
        {
            Run(kernel, arguments, parts);
            Compare(output.Download(), $"{storage} {rows} x {inputs} x {outputs}, {parts} parts of K, {condition}");
        });

        void Compare(float[] found, string what)
        {
            for (int i = 0; i < bounds.Length; i++)
                if (visualRow[i / outputs] < 0)
                    Assert.True(found[i] == 0, $"{what}: text row {i / outputs} holds {found[i]}");
            Accuracy.Within(expected, [.. bounds.Select(bound => Math.Max(bound, double.Epsilon))], found, what);
        }
    }

    private void Run(OperationKernel kernel, LoraDownArguments arguments, int parts)
    {
        SplitSums split = kernel is LoraDownWgmma one ? one.Split(arguments.Rows) : ((LoraDown)kernel).Split(arguments.Rows);
        using DeviceArray<float> sums = device.Allocate<float>((int)(split.Tiles * split.TileBytes * parts / sizeof(float)));
        using DeviceArray<uint> arrivals = device.Upload(new uint[split.Tiles]);
        arguments = arguments with { Parts = new DevicePointer(sums.Address), Arrivals = new DevicePointer(arrivals.Address) };
        if (kernel is LoraDownWgmma wgmma)
            device.Run(wgmma, wgmma.Geometry(arguments.Rows, parts), wgmma.Arguments(device.Context, arguments));
        else
            device.Run(kernel, ((LoraDown)kernel).Geometry(arguments.Rows, parts), arguments);
        Assert.All(arrivals.Download(), count => Assert.Equal(0u, count));
    }
}
