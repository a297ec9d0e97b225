using XComposer2.Native.Cuda;
using XComposer2.Native.Graph;
using XComposer2.Native.Kernels;
using Xunit;

namespace XComposer2.Native.GpuTests;

public sealed class OperandFillerTests(GpuDevice device)
{
    /// <summary>More than one repetition of the pattern, and not a multiple of it.</summary>
    private const int Elements = (1 << 20) + 1001;

    [Theory]
    [InlineData(DType.F32)]
    [InlineData(DType.F16)]
    [InlineData(DType.BF16)]
    public void Random_values_are_finite_distributed_and_fill_the_operand(DType storage)
    {
        CaseMemory memory = new();
        memory.Values(storage, Elements);
        float[] values = StoredFloats.Decode(Fill(memory), storage)[..Elements];
        Assert.All(values, value => Assert.InRange(value, -1, 1));
        Assert.InRange(values.Average(), -0.01, 0.01);
        Assert.InRange(values.Average(value => value * value), 0.32, 0.345);
        Assert.True(values[^1000..].Distinct().Count() > 100);
    }

    [Fact]
    public void Contents_match_their_definitions()
    {
        CaseMemory memory = new();
        long integers = memory.Integers(1000), scales = memory.Scales(300), zeros = memory.Zeros(77), given = memory.Given<int>([1, -2, 3]);
        byte[] bytes = Fill(memory);
        sbyte[] quantized = [.. bytes.AsSpan((int)integers, 1000).ToArray().Select(value => (sbyte)value)];
        Assert.DoesNotContain((sbyte)-128, quantized);
        Assert.True(quantized.Distinct().Count() > 200);
        Assert.All(StoredFloats.Decode(bytes.AsSpan((int)scales, 1200), DType.F32), scale => Assert.InRange(scale, 1f / 256, 1f / 128));
        Assert.All(bytes.AsSpan((int)zeros, 77).ToArray(), value => Assert.Equal(0, value));
        Assert.Equal([1, -2, 3], Enumerable.Range(0, 3).Select(index => BitConverter.ToInt32(bytes, (int)given + (4 * index))));
    }

    [Theory]
    [InlineData(50L << 20, 256L << 20)]
    [InlineData(126L << 20, 504L << 20)]
    public void Flush_is_several_times_the_cache_size(long cacheBytes, long expected)
    {
        L2Plan plan = L2Plan.Full(L2State.Cold, cacheBytes);
        Assert.Equal(expected, plan.FlushBytes);
        DeviceFacts shape = new(new ComputeCapability(9, 0), 132);
        // One float per thread of 132 x 2 blocks of 256 threads.
        Assert.Equal(expected + (132 * 2 * 256 * 4), plan.TotalBytes(shape));
    }

    private byte[] Fill(CaseMemory memory)
    {
        using DeviceMemory block = DeviceMemory.Allocate(device.Context, memory.TotalBytes);
        device.Stream.Fill(block.Span, 0xFF);
        using OperandFiller filler = new(device.Context, device.Stream);
        foreach (Operand operand in memory.Operands)
            filler.Fill(block.Span, operand);
        byte[] bytes = new byte[memory.TotalBytes];
        device.Stream.CopyToHost<byte>(bytes, block.Span);
        return bytes;
    }
}
