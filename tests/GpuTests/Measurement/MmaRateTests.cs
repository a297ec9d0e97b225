using XComposer2.Native.Cuda;
using XComposer2.Native.Graph;
using XComposer2.Native.Kernels;
using Xunit;

namespace XComposer2.Native.GpuTests;

public sealed class MmaRateTests(GpuDevice device)
{
    /// <summary>Small integers, whose products and sums are exact in every type: a missing or repeated product changes the stored sums.</summary>
    [Theory]
    [InlineData(DType.F32, 0)]
    [InlineData(DType.F32, 7)]
    [InlineData(DType.F16, 1)]
    [InlineData(DType.F16, 6)]
    [InlineData(DType.BF16, 1)]
    [InlineData(DType.BF16, 9)]
    public void Every_product_is_added_in_every_step(DType storage, int steps)
    {
        MmaRate kernel = new(storage);
        LaunchGeometry geometry = kernel.Geometry(multiprocessors: 1);
        float[] a = Integers(MmaRate.Rows * kernel.Depth, 1), b = Integers(MmaRate.Columns * kernel.Depth, 2);
        using DeviceFloats left = device.Upload(a, storage);
        using DeviceFloats right = device.Upload(b, storage);
        using DeviceArray<float> sums = device.Allocate<float>(geometry.Grid.X * kernel.BlockThreads);
        device.Run(kernel, geometry, new MmaRateArguments(new(left.Address), new(right.Address), new(sums.Address), (uint)steps));

        float[] lanes = new float[32];
        for (int row = 0; row < MmaRate.Rows; row++)
            for (int column = 0; column < MmaRate.Columns; column++)
                for (int k = 0; k < kernel.Depth; k++)
                    lanes[LaneOf(row, column, storage)] += steps * a[(row * kernel.Depth) + k] * b[(column * kernel.Depth) + k];
        Assert.Equal(Enumerable.Range(0, sums.Count).Select(thread => lanes[thread % 32]), sums.Download());
    }

    [Fact]
    public void Declared_operations_match_the_launch()
    {
        MmaRate kernel = new(DType.F16);
        LaunchGeometry geometry = kernel.Geometry(multiprocessors: 3);
        // Six blocks of eight warps.
        Assert.Equal(48L * 5 * 2 * 64 * 32 * 16, kernel.Cost(steps: 5, geometry).Flops);
    }

    /// <summary>The lane that holds a sum: a lane of m16n8's result, or an 8 x 8 part without tensor cores.</summary>
    private static int LaneOf(int row, int column, DType storage) =>
        storage == DType.F32 ? (row / 8 * 4) + (column / 8) : (row % 8 * 4) + (column % 8 / 2);

    private static float[] Integers(int count, int seed)
    {
        Random random = new(seed);
        return [.. Enumerable.Range(0, count).Select(_ => (float)random.Next(-3, 4))];
    }
}
