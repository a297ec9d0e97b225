using System.Runtime.InteropServices;
using XComposer2.Native.Cuda;
using Xunit;

namespace XComposer2.Native.EmulatedDeviceTests;

/// <summary>Programmatic dependent launch: what may still be running when a kernel begins is more than its predecessor, and both what that wrote and what it
/// read counts.</summary>
public sealed class DependentLaunchTests(EmulatedDevice device)
{
    private const int Threads = 64;

    /// <summary>As Kernels/dependent_launch.cu has them.</summary>
    [Flags]
    public enum Does
    {
        Nothing = 0,
        TriggerFirst = 1,
        WaitFirst = 2,
        Read = 4,
        Write = 8,
        WaitLast = 16,
    }

    [StructLayout(LayoutKind.Sequential)]
    private readonly record struct Arguments(DevicePointer Data, DevicePointer Result, uint Actions);

    [Theory]
    [InlineData(Does.Write, Does.Read, Does.WaitFirst | Does.Read)]
    [InlineData(Does.Read, Does.Write, Does.WaitFirst | Does.Write)]
    [InlineData(Does.Read, Does.Read | Does.Write, Does.WaitFirst | Does.Read | Does.Write)]
    [InlineData(Does.Write, Does.Read | Does.WaitLast, Does.WaitFirst | Does.Read)]
    public void Nothing_of_the_predecessor_is_touched_before_the_wait(Does first, Does wrong, Does right)
    {
        Check([first, wrong], isRace: true);
        Check([first, right], isRace: false);
    }

    /// <summary>The one between let its dependents start while its own predecessor was still running.</summary>
    [Theory]
    [InlineData(Does.TriggerFirst | Does.WaitFirst)]
    [InlineData(Does.WaitLast | Does.TriggerFirst)]
    [InlineData(Does.Nothing)]
    public void The_predecessors_predecessor_may_still_be_running(Does between)
    {
        Check([Does.Write, between, Does.Read], isRace: true);
        Check([Does.Write, between, between, Does.Read], isRace: true);
        Check([Does.Read, between, Does.Write], isRace: true);
    }

    [Fact]
    public void A_predecessor_that_triggers_only_after_its_wait_has_seen_its_own_end()
    {
        Check([Does.Write, Does.WaitFirst, Does.Read], isRace: false);
        Check([Does.Read, Does.WaitFirst, Does.Write], isRace: false);
        Check([Does.Write, Does.WaitLast, Does.Read], isRace: false);
    }

    [Theory]
    [InlineData(Does.Write, Does.Read)]
    [InlineData(Does.Read, Does.Write)]
    public void A_wait_reaches_only_as_far_as_each_of_the_chain_waits(Does first, Does last)
    {
        Check([first, Does.Nothing, Does.WaitFirst | last], isRace: true);
        Check([first, Does.TriggerFirst | Does.WaitFirst, Does.WaitFirst | last], isRace: false);
        Check([first, Does.TriggerFirst | Does.WaitFirst, Does.TriggerFirst, Does.WaitFirst | last], isRace: true);
    }

    private void Check(Does[] chain, bool isRace)
    {
        device.Become(90);
        device.Begin();
        try
        {
            CudaKernel kernel = device.GetKernel("dependent_launch.cu", "dependent_launch");
            using DeviceMemory data = device.AllocateFilled(1), results = DeviceMemory.Allocate(device.Context, chain.Length * Threads * sizeof(uint));
            device.Stream.Synchronize();
            for (int i = 0; i < chain.Length; i++)
                kernel.Launch(
                    device.Stream, new LaunchGeometry(1, Threads) { OverlapsPredecessor = i > 0 },
                    new Arguments(data.Span.Pointer, results.Span.Slice(i * Threads * sizeof(uint), Threads * sizeof(uint)).Pointer, (uint)chain[i]));
            string what = string.Join("; ", chain);
            if (isRace)
            {
                Assert.Throws<CudaException>(device.Stream.Synchronize);
                DeviceFault fault = Assert.Single(device.Faults);
                Assert.True(fault.Kind == "stream_race" && fault.Address == data.Span.Pointer.Address, $"{what}: {fault.Message}");
                Assert.Contains("which kernel dependent_launch", fault.Message, StringComparison.Ordinal);
            }
            else
            {
                device.Stream.Synchronize();
                Assert.True(device.Faults.Count == 0, $"{what}: {string.Join("; ", device.Faults)}");
            }

            device.Begin();
        }
        finally
        {
            device.Become(EmulatedDevice.DefaultArchitecture);
            device.Begin();
        }
    }
}
