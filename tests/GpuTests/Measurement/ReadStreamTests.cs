using XComposer2.Native.Cuda;
using XComposer2.Native.Kernels;
using Xunit;

namespace XComposer2.Native.GpuTests;

public sealed class ReadStreamTests(GpuDevice device)
{
    /// <summary>Every word is read once. Sums are exact, so that a missing or repeated word changes them.</summary>
    [Theory]
    [InlineData(1, 0)]
    [InlineData(1, 1)]
    [InlineData(1, 511)]
    [InlineData(1, 4 * 1024)]
    [InlineData(2, 8 * 1024 + 1)]
    [InlineData(3, 100_003)]
    public void Every_word_is_read_once(int multiprocessors, int chunks)
    {
        ReadStream kernel = new();
        LaunchGeometry geometry = kernel.Geometry(multiprocessors, threadsPerMultiprocessor: 1024);
        uint[] words = new uint[4 * chunks];
        Random random = new(chunks);
        foreach (ref uint word in words.AsSpan())
            word = (uint)random.NextInt64(uint.MaxValue + 1L);
        using DeviceArray<uint> values = device.Upload(words);
        using DeviceArray<uint> sums = device.Allocate<uint>(checked((int)(kernel.SumBytes(geometry) / sizeof(uint))));
        device.Run(kernel, geometry, new ReadStreamArguments(new(values.Address), new(sums.Address), (ulong)chunks));

        int warps = geometry.Grid.X * kernel.BlockThreads / 32, threads = 32 * warps;
        uint[] expected = new uint[warps];
        for (int chunk = 0; chunk < chunks; chunk++)
            for (int word = 0; word < 4; word++)
                expected[chunk % threads / 32] += words[(4 * chunk) + word];
        Assert.Equal(expected, sums.Download());
    }

    [Fact]
    public void Declared_bytes_match_the_launch()
    {
        ReadStream kernel = new();
        LaunchGeometry geometry = kernel.Geometry(multiprocessors: 10, threadsPerMultiprocessor: 2048);
        Assert.Equal(40, geometry.Grid.X);
        Assert.Equal(new KernelCost(4096 + (40 * 16 * 4), 0), kernel.Cost(4096, geometry));
    }
}
