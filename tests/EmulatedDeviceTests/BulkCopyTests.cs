using System.Runtime.InteropServices;
using XComposer2.Native.Cuda;
using Xunit;

namespace XComposer2.Native.EmulatedDeviceTests;

/// <summary>Bulk copies of plain bytes, and tensor maps that the driver refuses.</summary>
public sealed class BulkCopyTests(EmulatedDevice device)
{
    private const int Count = 256, Threads = 64;

    private static readonly string[] schedules = ["forward", "reverse", "shuffled"];

    [StructLayout(LayoutKind.Sequential)]
    private readonly record struct Arguments(DevicePointer Data, DevicePointer Result);

    [Theory]
    [InlineData(0)]
    [InlineData(13)]
    public void Bytes_go_in_and_out_under_every_schedule(int right)
    {
        foreach (string schedule in schedules)
        {
            (string faults, uint[] result) = Run(right, schedule);
            Assert.Equal(string.Empty, faults);
            Assert.Equal(Enumerable.Range(0, Count).Select(i => (uint)(2 * i)), result);
        }
    }

    /// <summary>As Kernels/bulk_copy.cu numbers them.</summary>
    [Theory]
    [InlineData(1, "misaligned_address", "all must be multiples of 16")]
    [InlineData(2, "async_copy_not_waited", "has not been waited for")]
    [InlineData(3, "async_proxy", "which thread 0 of this block wrote, with no fence.proxy.async")]
    [InlineData(4, "bad_mbarrier", "of what no mbarrier.init has made")]
    [InlineData(5, "bad_mbarrier", "all 1 arrivals of phase 0 are there")]
    [InlineData(6, "bad_mbarrier", "over which something else was written")]
    [InlineData(7, "out_of_bounds", "a bulk copy reads 16 bytes")]
    [InlineData(8, "async_copy_not_waited", "the block ends while a bulk copy into its shared memory is under way")]
    [InlineData(9, "async_copy_not_waited", "has not been waited for")]
    [InlineData(10, "bad_mbarrier", "mbarrier.init of a barrier that is in use")]
    [InlineData(11, "async_proxy", "of this block wrote, with no fence.proxy.async")]
    [InlineData(12, "async_proxy", "of this block wrote, with no fence.proxy.async")]
    public void A_mistake_is_named(int mistake, string kind, string words)
    {
        foreach (string schedule in schedules)
        {
            (string faults, _) = Run(mistake, schedule);
            Assert.StartsWith(kind, faults, StringComparison.Ordinal);
            Assert.Contains(words, faults, StringComparison.Ordinal);
            Assert.Contains("kernel bulk_copy, block (0,0,0)", faults, StringComparison.Ordinal);
        }
    }

    /// <summary>What the driver refuses, and strides that cannot be in bytes.</summary>
    [Theory]
    [InlineData(0, 64UL, 32UL, 128UL, 64u, 16u, 3, null)]
    [InlineData(8, 64UL, 32UL, 128UL, 64u, 16u, 3, "no multiple of 16")]
    [InlineData(0, 64UL, 32UL, 120UL, 64u, 16u, 3, "the stride of dimension 1 is 120 bytes")]
    [InlineData(0, 64UL, 32UL, 64UL, 64u, 16u, 3, "strides are in bytes")]
    [InlineData(0, 32UL, 64UL, 32UL, 16u, 64u, 1, "strides are in bytes")]
    [InlineData(0, 64UL, 32UL, 128UL, 128u, 16u, 3, "a row of the box has 256 bytes, more than the swizzle's 128")]
    [InlineData(0, 64UL, 32UL, 128UL, 60u, 16u, 0, "a row of the box has 120 bytes")]
    [InlineData(0, 64UL, 32UL, 128UL, 64u, 257u, 3, "the box has 257 elements in dimension 1")]
    [InlineData(0, 0UL, 32UL, 128UL, 64u, 16u, 3, "dimension 0 has 0 elements")]
    public void A_tensor_map_is_checked_as_the_driver_does_it(
        int offset, ulong columns, ulong rows, ulong strideBytes, uint boxColumns, uint boxRows, int swizzle, string? words)
    {
        device.Become(90);
        device.Begin();
        try
        {
            using DeviceMemory memory = DeviceMemory.Allocate(device.Context, 16384);
            void Encode() => TensorMap.Encode(device.Context, new TensorMapLayout
            {
                Start = memory.Span.Slice(offset, 8192).Pointer, Type = TensorMapType.BFloat16, Sizes = [columns, rows], StridesBytes = [strideBytes],
                Box = [boxColumns, boxRows], Swizzle = (TensorMapSwizzle)swizzle,
            });
            if (words is null)
            {
                Encode();
                Assert.Empty(device.Faults);
            }
            else
            {
                Assert.Throws<CudaException>(Encode);
                Assert.Contains(words, Assert.Single(device.Faults).Message, StringComparison.Ordinal);
            }
        }
        finally
        {
            device.Begin();
            device.Become(EmulatedDevice.DefaultArchitecture);
        }
    }

    private (string Faults, uint[] Result) Run(int mistake, string schedule)
    {
        device.Become(90);
        device.Begin(schedule);
        try
        {
            CudaKernel kernel = device.GetKernel("bulk_copy.cu", "bulk_copy", $"-DMISTAKE={mistake}");
            using DeviceMemory data = device.AllocateFilled(Count), result = DeviceMemory.Allocate(device.Context, Count * sizeof(uint));
            uint[] found = new uint[Count];
            try
            {
                kernel.Launch(device.Stream, new LaunchGeometry(1, Threads), new Arguments(data.Span.Pointer, result.Span.Pointer));
                device.Stream.CopyToHost<uint>(found, result.Span);
            }
            catch (CudaException) when (device.Faults.Count > 0)
            {
                return (string.Join("; ", device.Faults.Select(fault => fault.Message)), found);
            }

            return (string.Empty, found);
        }
        finally
        {
            device.Begin();
            device.Become(EmulatedDevice.DefaultArchitecture);
        }
    }
}
