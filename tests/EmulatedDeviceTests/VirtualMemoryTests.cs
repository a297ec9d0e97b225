using XComposer2.Native.Cuda;
using XComposer2.Native.GpuTests;
using Xunit;

namespace XComposer2.Native.EmulatedDeviceTests;

/// <summary>Memory behind reserved addresses, as a driver gives it.</summary>
public sealed unsafe class VirtualMemoryTests(EmulatedDevice device)
{
    private const long Granule = 2 << 20;

    [Fact]
    public void Memory_grows_at_the_same_addresses_and_keeps_its_contents()
    {
        device.Begin();
        (long free, _) = device.Context.ReadMemory();
        using (GrowingDeviceMemory memory = GrowingDeviceMemory.Reserve(device.Context, 16 * Granule))
        {
            Assert.Equal(free, device.Context.ReadMemory().FreeBytes);
            Assert.True(memory.Grow(Granule));
            Assert.Equal(2 * Granule, memory.LengthBytes);
            Assert.Equal(free - (2 * Granule), device.Context.ReadMemory().FreeBytes);
            DevicePointer start = memory.Span.Pointer;
            device.Stream.FillWords(memory.Span, 7);
            Assert.True(memory.Grow((2 * Granule) + 1));
            Assert.Equal((start, 4 * Granule), (memory.Span.Pointer, memory.LengthBytes));

            // A copy over the border of two chunks.
            device.Stream.FillWords(memory.Span.Slice(2 * Granule, 2 * Granule), 9);
            uint[] border = new uint[4];
            device.Stream.CopyToHost<uint>(border, memory.Span.Slice((2 * Granule) - 8, 16));
            Assert.Equal([7, 7, 9, 9], border);
        }

        Assert.Equal(free, device.Context.ReadMemory().FreeBytes);
        Assert.Empty(device.Faults);
    }

    [Fact]
    public void Memory_behind_the_grown_part_is_out_of_bounds()
    {
        device.Begin();
        using GrowingDeviceMemory memory = GrowingDeviceMemory.Reserve(device.Context, 16 * Granule);
        Assert.True(memory.Grow(1));
        uint value;
        var copy = (delegate* unmanaged<void*, ulong, nuint, int>)device.Export("cuMemcpyDtoH_v2");
        Assert.NotEqual(0, copy(&value, memory.Span.Pointer.Address + (2 * (ulong)Granule), sizeof(uint)));
        Assert.Equal("out_of_bounds", Assert.Single(device.Faults).Kind);
        device.Begin();
    }

    [Fact]
    public void Full_device_does_not_grow()
    {
        device.Begin();
        (long free, _) = device.Context.ReadMemory();
        using GrowingDeviceMemory memory = GrowingDeviceMemory.Reserve(device.Context, free + (64 * Granule));
        Assert.False(memory.Grow(free + Granule));
        Assert.InRange(memory.LengthBytes, free - (64 * Granule), free);
        Assert.Empty(device.Faults);
    }

    [Fact]
    public void Reservation_with_mapped_memory_is_not_freed()
    {
        device.Begin();
        using GrowingDeviceMemory memory = GrowingDeviceMemory.Reserve(device.Context, Granule);
        Assert.True(memory.Grow(1));
        var free = (delegate* unmanaged<ulong, nuint, int>)device.Export("cuMemAddressFree");
        Assert.NotEqual(0, free(memory.Span.Pointer.Address, (nuint)Granule));
        Assert.Equal("bad_argument", Assert.Single(device.Faults).Kind);
        device.Begin();
    }
}
