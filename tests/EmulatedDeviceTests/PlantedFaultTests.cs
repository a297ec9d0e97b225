using System.Runtime.InteropServices;
using XComposer2.Native.Cuda;
using Xunit;

namespace XComposer2.Native.EmulatedDeviceTests;

/// <summary>Mistakes of kernels: each is found, and named with kernel, block, thread and address; the same code without it passes under every schedule.</summary>
public sealed unsafe class PlantedFaultTests(EmulatedDevice device)
{
    private const int Threads = 64, Blocks = 2, Count = 256;

    private static readonly string[] schedules = ["forward", "reverse", "shuffled"];

    [StructLayout(LayoutKind.Sequential)]
    private readonly record struct Arguments(DevicePointer Data, DevicePointer Result, uint Count);

    [Theory]
    [InlineData(1, "shared_memory_race")]
    [InlineData(2, "divergent_barrier")]
    [InlineData(3, "shared_memory_race")]
    [InlineData(4, "out_of_bounds")]
    [InlineData(5, "misaligned_address")]
    [InlineData(7, "async_copy_not_waited")]
    [InlineData(8, "global_memory_race")]
    public void A_mistake_is_found_under_every_schedule_and_its_absence_too(int fault, string kind)
    {
        foreach (string schedule in schedules)
        {
            DeviceFault found = Assert.Single(Run(fault, planted: true, schedule, initialised: true).Take(1));
            Assert.Equal((kind, "planted_fault"), (found.Kind, found.Kernel));
            Assert.InRange(found.Block.X, 0, Blocks - 1);
            Assert.InRange(found.Thread.X, 0, Threads - 1);
            Assert.Contains("planted_fault", found.Message, StringComparison.Ordinal);
            if (kind != "divergent_barrier")
                Assert.NotEqual(0UL, found.Address);
            Assert.Empty(Run(fault, planted: false, schedule, initialised: true));
        }
    }

    [Fact]
    public void A_read_of_what_nobody_wrote_is_found()
    {
        foreach (string schedule in schedules)
        {
            DeviceFault found = Run(6, planted: true, schedule, initialised: false)[0];
            Assert.Equal(("uninitialised_read", "planted_fault", 9), (found.Kind, found.Kernel, found.Thread.X));
            Assert.Empty(Run(6, planted: true, schedule, initialised: true));
        }
    }

    /// <summary>The very element, not only the allocation.</summary>
    [Fact]
    public void Out_of_bounds_by_one_element_names_thread_and_address()
    {
        device.Begin();
        using DeviceMemory data = Filled(Count), result = DeviceMemory.Allocate(device.Context, Threads * sizeof(uint));
        Launch(4, planted: true, data.Span.Pointer, result.Span.Pointer, blocks: 1);
        DeviceFault found = device.Faults[0];
        Assert.Equal((5, (data.Span.Pointer + (Count * sizeof(uint))).Address), (found.Thread.X, found.Address));
        device.Begin();
    }

    [Fact]
    public void Freed_memory_is_not_read()
    {
        device.Begin();
        DeviceMemory data = Filled(Count);
        DevicePointer pointer = data.Span.Pointer;
        data.Dispose();
        using DeviceMemory result = DeviceMemory.Allocate(device.Context, Threads * sizeof(uint));
        Launch(9, planted: true, pointer, result.Span.Pointer, blocks: 1);
        Assert.Equal("use_after_free", device.Faults[0].Kind);
        device.Begin();
    }

    [Fact]
    public void Freeing_twice_is_found()
    {
        device.Begin();
        DeviceMemory data = DeviceMemory.Allocate(device.Context, 64);
        ulong pointer = data.Span.Pointer.Address;
        data.Dispose();
        var free = (delegate* unmanaged<ulong, int>)device.Export("cuMemFree_v2");
        Assert.NotEqual(0, free(pointer));
        Assert.Equal(("double_free", pointer), (device.Faults[0].Kind, device.Faults[0].Address));
        device.Begin();
    }

    [Fact]
    public void More_shared_memory_than_was_allowed_is_refused()
    {
        device.Begin();
        using CudaLibrary library = device.Compile("planted_fault.cu", "-DFAULT=9", "-DPLANTED=0");
        CudaKernel kernel = library.GetKernel("planted_fault");
        using DeviceMemory data = Filled(Count), result = DeviceMemory.Allocate(device.Context, Threads * sizeof(uint));
        var arguments = new Arguments(data.Span.Pointer, result.Span.Pointer, Count);
        var geometry = new LaunchGeometry(1, Threads, 60 * 1024);
        CudaException refusal = Assert.Throws<CudaException>(() => kernel.Launch(device.Stream, geometry, arguments));
        Assert.Contains("planted_fault", refusal.Message, StringComparison.Ordinal);
        device.Begin();
        kernel.AllowDynamicShared(60 * 1024);
        kernel.Launch(device.Stream, geometry, arguments);
        device.Stream.Synchronize();
        Assert.Empty(device.Faults);
    }

    [Fact]
    public void Reading_on_the_host_before_the_copy_is_done_is_found()
    {
        device.Begin();
        using DeviceMemory data = Filled(Count);
        using PinnedMemory host = PinnedMemory.Allocate(device.Context, Count * sizeof(uint));
        host.Span.AsSpan<uint>().Fill(1);
        device.Stream.CopyToHost(host.Span, data.Span);
        uint early = host.Span.AsSpan<uint>()[3];
        try
        {
            device.Stream.Synchronize();
        }
        catch (CudaException)
        {
            // The next call of the driver reports it.
        }

        Assert.Contains(device.Faults, fault => fault.Kind == "host_access_before_synchronise");
        device.Begin();
        device.Stream.CopyToHost(host.Span, data.Span);
        device.Stream.Synchronize();
        Assert.Equal(3u, host.Span.AsSpan<uint>()[3]);
        Assert.Empty(device.Faults);
        Assert.True(early is 1 or 3);
    }

    private IReadOnlyList<DeviceFault> Run(int fault, bool planted, string schedule, bool initialised)
    {
        device.Begin(schedule);
        using DeviceMemory data = initialised ? Filled(Count) : DeviceMemory.Allocate(device.Context, Count * sizeof(uint));
        using DeviceMemory result = DeviceMemory.Allocate(device.Context, Blocks * Threads * sizeof(uint));
        Launch(fault, planted, data.Span.Pointer, result.Span.Pointer, Blocks);
        IReadOnlyList<DeviceFault> faults = device.Faults;
        device.Begin();
        return faults;
    }

    private void Launch(int fault, bool planted, DevicePointer data, DevicePointer result, int blocks)
    {
        using CudaLibrary library = device.Compile("planted_fault.cu", $"-DFAULT={fault}", $"-DPLANTED={(planted ? 1 : 0)}");
        try
        {
            library.GetKernel("planted_fault").Launch(device.Stream, new LaunchGeometry(blocks, Threads), new Arguments(data, result, Count));
            device.Stream.Synchronize();
        }
        catch (CudaException)
        {
            // The fault, as a real driver would answer it; what it was is in the log.
        }
    }

    private DeviceMemory Filled(int count)
    {
        DeviceMemory memory = DeviceMemory.Allocate(device.Context, count * sizeof(uint));
        uint[] values = [.. Enumerable.Range(0, count).Select(value => (uint)value)];
        device.Stream.CopyToDevice<uint>(memory.Span, values);
        return memory;
    }
}
