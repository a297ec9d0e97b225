using System.Globalization;
using System.Runtime.InteropServices;
using XComposer2.Native.Cuda;
using Xunit;

namespace XComposer2.Native.EmulatedDeviceTests;

/// <summary>Mistakes of kernels: each is found, and named with kernel, block, thread, address and line, on every generation and under every schedule;
/// the same code without it passes there.</summary>
public sealed class PlantedFaultTests(EmulatedDevice device)
{
    private const int Threads = 64, Blocks = 2, Count = 256;

    /// <summary>Who errs, as Kernels/planted.cuh has it.</summary>
    private const int Block = 1, Thread = 37, Other = 5;

    private const string Plain = "planted_fault.cu", AsyncCopy = "planted_async_copy.cu";

    private static readonly string[] schedules = ["forward", "reverse", "shuffled"];

    public static TheoryData<int> Architectures => [75, 80, 90];

    public static TheoryData<int> ArchitecturesWithAsyncCopy => [80, 90];

    [StructLayout(LayoutKind.Sequential)]
    private readonly record struct Arguments(DevicePointer Data, DevicePointer Result, uint Planted);

    [Theory]
    [MemberData(nameof(Architectures))]
    public void A_missing_barrier(int architecture) =>
        CheckRace(architecture, "missing_barrier", Thread, Other, "byte 4 of shared variable exchanged (8 bytes)");

    [Theory]
    [MemberData(nameof(Architectures))]
    public void A_missing_barrier_of_a_warp(int architecture) =>
        CheckRace(architecture, "missing_warp_barrier", Thread, Thread + 1, "byte 4 of shared variable neighbours (8 bytes)");

    [Theory]
    [MemberData(nameof(Architectures))]
    public void Two_threads_that_race_on_one_shared_word(int architecture) =>
        CheckRace(architecture, "shared_word_race", Thread, Other, "byte 4 of shared variable contested (8 bytes)");

    /// <summary>No thread has made the mistake alone: the first of those that wait for ever is named.</summary>
    [Theory]
    [MemberData(nameof(Architectures))]
    public void A_barrier_that_not_all_reach(int architecture)
    {
        CheckDivergence(
            architecture, "barrier_not_by_all_warps", "thread (0,0,0): waits for ever at a barrier at planted_fault.cu:", "32 of 64 threads have returned");
        CheckDivergence(architecture, "barrier_not_by_all_lanes", "executes a barrier", $"{Thread}");
        CheckDivergence(architecture, "barriers_at_two_places", "while others wait at another one, at planted_fault.cu:");
    }

    [Theory]
    [MemberData(nameof(Architectures))]
    public void A_race_between_blocks(int architecture) => Check(architecture, Plain, "global_race_between_blocks", (fault, data) =>
    {
        Assert.Equal(("global_memory_race", data + 12), (fault.Kind, fault.Address));
        Assert.Contains((fault.Block.X, fault.Thread.X), new[] { (Block, Thread), (0, Other) });
        Assert.Contains($"which thread {(fault.Block.X == Block ? Other : Thread)} of another block wrote", fault.Message, StringComparison.Ordinal);
    });

    [Theory]
    [MemberData(nameof(Architectures))]
    public void Out_of_bounds_by_one_element(int architecture)
    {
        Check(architecture, Plain, "write_past_the_end", (fault, data) =>
            AssertMine(fault, "out_of_bounds", data + (Count * sizeof(uint)), "has only 1024 bytes"));
        Check(architecture, Plain, "read_before_the_beginning", (fault, data) =>
            AssertMine(fault, "out_of_bounds", data - sizeof(uint), "4 bytes before allocation"));
        Check(architecture, Plain, "past_dynamic_shared_memory", (fault, _) =>
            AssertMine(fault, "out_of_bounds", fault.Address, "byte 256 of dynamic shared memory (256 bytes)"));
        // The compiler's own check knows the index and no address.
        Check(architecture, Plain, "past_a_shared_array", (fault, _) =>
            AssertAt(fault, "index_out_of_bounds", 0, "index 64 is outside of an array"));
    }

    [Theory]
    [MemberData(nameof(Architectures))]
    public void A_misaligned_load_of_16_bytes(int architecture) => Check(architecture, Plain, "misaligned_16_byte_load", (fault, data) =>
        AssertMine(fault, "misaligned_address", data + 20, "needs a multiple of 16"));

    [Theory]
    [MemberData(nameof(Architectures))]
    public void A_read_of_what_nobody_wrote(int architecture)
    {
        Check(architecture, Plain, "unwritten_global_read", (fault, data) =>
            AssertMine(fault, "uninitialised_read", data + (((Block * Threads) + Thread) * sizeof(uint)), "nobody wrote byte 0"),
            MemoryState.Unwritten);
        Check(architecture, Plain, "unwritten_shared_read", (fault, _) =>
            AssertMine(fault, "uninitialised_read", fault.Address, $"byte {Thread * sizeof(uint)} of shared variable unwritten (256 bytes)"));
    }

    [Theory]
    [MemberData(nameof(Architectures))]
    public void A_read_of_freed_memory(int architecture) => Check(architecture, Plain, "read_of_freed_memory", (fault, data) =>
        AssertMine(fault, "use_after_free", data + 12, "freed"), MemoryState.FreedWhenPlanted);

    [Theory]
    [MemberData(nameof(ArchitecturesWithAsyncCopy))]
    public void A_copy_that_is_not_waited_for(int architecture)
    {
        Check(architecture, AsyncCopy, "async_copy_without_wait", (fault, _) =>
            AssertMine(fault, "async_copy_not_waited", fault.Address, $"byte {Thread * 16} of shared variable copied (1024 bytes)"));
        Check(architecture, AsyncCopy, "async_copy_of_a_younger_group", (fault, _) =>
            AssertMine(fault, "async_copy_not_waited", fault.Address, $"byte {Thread * 16} of shared variable younger (1024 bytes)"));
    }

    private void CheckRace(int architecture, string entry, int first, int second, string place) => Check(architecture, Plain, entry, (fault, _) =>
    {
        Assert.Equal(("shared_memory_race", Block), (fault.Kind, fault.Block.X));
        Assert.Contains(fault.Thread.X, new[] { first, second });
        Assert.NotEqual(0UL, fault.Address);
        Assert.Contains(place, fault.Message, StringComparison.Ordinal);
        Assert.Contains($"which thread {first + second - fault.Thread.X} of this block", fault.Message, StringComparison.Ordinal);
    });

    private void CheckDivergence(int architecture, string entry, params string[] words) => Check(architecture, Plain, entry, (fault, _) =>
    {
        Assert.Equal(("divergent_barrier", Block), (fault.Kind, fault.Block.X));
        Assert.All(words, word => Assert.Contains(word, fault.Message, StringComparison.Ordinal));
    });

    private static void AssertMine(DeviceFault fault, string kind, ulong address, string words)
    {
        Assert.NotEqual(0UL, address);
        AssertAt(fault, kind, address, words);
    }

    private static void AssertAt(DeviceFault fault, string kind, ulong address, string words)
    {
        Assert.Equal((kind, Block, Thread, address), (fault.Kind, fault.Block.X, fault.Thread.X, fault.Address));
        Assert.Contains(words, fault.Message, StringComparison.Ordinal);
    }

    /// <param name="architecture">What the device is.</param>
    /// <param name="source">The file.</param>
    /// <param name="entry">The kernel.</param>
    /// <param name="expect">Is given the fault and where the data began.</param>
    /// <param name="state">Of the data.</param>
    private void Check(int architecture, string source, string entry, Action<DeviceFault, ulong> expect, MemoryState state = MemoryState.Written)
    {
        device.Become(architecture);
        try
        {
            foreach (string schedule in schedules)
            {
                (DeviceFault[] found, ulong data) = Run(source, entry, schedule, state, planted: true);
                DeviceFault fault = Assert.Single(found);
                string name = string.Create(
                    CultureInfo.InvariantCulture, $"{fault.Kind}: kernel {entry}, block ({fault.Block.X},0,0), thread ({fault.Thread.X},0,0): ");
                Assert.Equal(entry, fault.Kernel);
                Assert.StartsWith(name, fault.Message, StringComparison.Ordinal);
                Assert.Contains($"{source}:", fault.Message, StringComparison.Ordinal);
                expect(fault, data);
                Assert.Empty(Run(source, entry, schedule, state, planted: false).Faults);
            }
        }
        finally
        {
            device.Become(EmulatedDevice.DefaultArchitecture);
            device.Begin();
        }
    }

    private (DeviceFault[] Faults, ulong Data) Run(string source, string entry, string schedule, MemoryState state, bool planted)
    {
        device.Begin(schedule);
        CudaKernel kernel = device.GetKernel(source, entry);
        using DeviceMemory result = DeviceMemory.Allocate(device.Context, Blocks * Threads * sizeof(uint));
        using DeviceMemory data = state == MemoryState.Unwritten
            ? DeviceMemory.Allocate(device.Context, Count * sizeof(uint))
            : device.AllocateFilled(Count);
        DevicePointer start = data.Span.Pointer;
        if (planted && state == MemoryState.FreedWhenPlanted)
            data.Dispose();
        var arguments = new Arguments(start, result.Span.Pointer, planted ? 1u : 0u);
        kernel.Launch(device.Stream, new LaunchGeometry(Blocks, Threads, Threads * sizeof(uint)), arguments);
        if (planted)
            Assert.Throws<CudaException>(device.Stream.Synchronize);
        else
            device.Stream.Synchronize();
        DeviceFault[] faults = [.. device.Faults];
        device.Begin();
        return (faults, start.Address);
    }

    private enum MemoryState
    {
        Written,
        Unwritten,
        FreedWhenPlanted,
    }
}
