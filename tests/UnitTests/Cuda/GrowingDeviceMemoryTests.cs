using XComposer2.Native.Cuda;
using Xunit;

namespace XComposer2.Native.UnitTests;

[Collection(FakeDriver.Collection)]
public sealed class GrowingDeviceMemoryTests
{
    private const long Mebibyte = 1 << 20;

    private readonly FakeDriver native = new();
    private readonly CudaContext context;

    public GrowingDeviceMemoryTests() => context = CudaContext.Open(new CudaDriver(native).GetDevice(0));

    [Fact]
    public void Memory_is_created_in_chunks_of_whole_granules_and_only_when_it_is_used()
    {
        using GrowingDeviceMemory memory = GrowingDeviceMemory.Reserve(context, 1000 * Mebibyte);
        Assert.Equal((0, 1000 * Mebibyte), (memory.LengthBytes, memory.MaximumBytes));
        Assert.Empty(native.CreatedBytes);
        DevicePointer start = memory.Span.Pointer;
        Assert.True(memory.Grow(1));
        Assert.Equal([64 * Mebibyte], native.CreatedBytes);
        Assert.True(memory.Grow(64 * Mebibyte));
        Assert.Single(native.CreatedBytes);
        Assert.True(memory.Grow((64 * Mebibyte) + 1));
        Assert.Equal((2, 128 * Mebibyte, start), (native.CreatedBytes.Count, memory.LengthBytes, memory.Span.Pointer));
        Assert.True(memory.Grow(1000 * Mebibyte));
        Assert.Equal((1000 * Mebibyte, 1000 * Mebibyte), (memory.LengthBytes, native.CreatedBytes.Sum()));
        Assert.Throws<ArgumentOutOfRangeException>(() => memory.Grow((1000 * Mebibyte) + 1));
    }

    [Fact]
    public void Small_memory_takes_a_granule()
    {
        using GrowingDeviceMemory memory = GrowingDeviceMemory.Reserve(context, 1000);
        Assert.True(memory.Grow(1));
        Assert.Equal((1000, FakeDriver.GranularityBytes), (memory.LengthBytes, memory.MappedBytes));
        Assert.Equal([FakeDriver.GranularityBytes], native.CreatedBytes);
    }

    [Fact]
    public void Full_device_is_reported_and_what_is_mapped_stays()
    {
        using GrowingDeviceMemory memory = GrowingDeviceMemory.Reserve(context, 1000 * Mebibyte);
        Assert.True(memory.Grow(1));
        native.Failures["cuMemCreate"] = CudaResult.OutOfMemory;
        Assert.False(memory.Grow(100 * Mebibyte));
        Assert.Equal(64 * Mebibyte, memory.LengthBytes);
        native.Failures.Clear();
        Assert.True(memory.Grow(100 * Mebibyte));
        memory.Dispose();
        context.Dispose();
        Assert.Empty(native.Alive);
        Assert.Empty(native.WrongReleases);
    }

    [Fact]
    public void Other_failures_are_errors()
    {
        using GrowingDeviceMemory memory = GrowingDeviceMemory.Reserve(context, 1000);
        native.Failures["cuMemCreate"] = CudaResult.LaunchFailed;
        Assert.Equal("cuMemCreate", Assert.Throws<CudaException>(() => memory.Grow(1)).Call);
    }

    [Theory]
    [InlineData("cuMemMap")]
    [InlineData("cuMemSetAccess")]
    public void Failed_chunk_is_given_back_and_leaves_no_hole(string call)
    {
        using GrowingDeviceMemory memory = GrowingDeviceMemory.Reserve(context, 1000 * Mebibyte);
        Assert.True(memory.Grow(1));
        native.Failures[call] = CudaResult.LaunchFailed;
        Assert.Equal(call, Assert.Throws<CudaException>(() => memory.Grow(65 * Mebibyte)).Call);
        Assert.Equal((64 * Mebibyte, 1), (memory.LengthBytes, native.Alive.Count(alive => alive.Kind == "mapped memory")));
        native.Failures.Clear();
        Assert.True(memory.Grow(65 * Mebibyte));
        Assert.Equal((128 * Mebibyte, 128 * Mebibyte), (memory.LengthBytes, memory.MappedBytes));
    }

    [Fact]
    public void Device_without_virtual_memory_allocates_everything_at_once()
    {
        native.Capabilities[DeviceAttribute.VirtualMemoryManagementSupported] = 0;
        CudaContext old = CudaContext.Open(new CudaDriver(native).GetDevice(0));
        GrowingDeviceMemory memory = GrowingDeviceMemory.Reserve(old, 1000);
        Assert.Equal((1000, 1000), (memory.LengthBytes, memory.Span.LengthBytes));
        Assert.True(memory.Grow(1000));
        Assert.Contains(native.Alive, alive => alive.Kind == "memory");
        memory.Dispose();
        Assert.DoesNotContain(native.Alive, alive => alive.Kind == "memory");
        Assert.Empty(native.CreatedBytes);
    }
}
