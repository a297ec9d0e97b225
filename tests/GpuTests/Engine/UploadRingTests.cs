using XComposer2.Native.Cuda;
using XComposer2.Native.Graph;
using XComposer2.Native.Runtime;
using Xunit;

namespace XComposer2.Native.GpuTests;

public sealed unsafe class UploadRingTests(GpuDevice device)
{
    // 8 MiB buffers: five of them, the last one not full.
    private const int Columns = 1024, RowsOfBuffer = (8 << 20) / (Columns * sizeof(ushort)), Rows = (4 * RowsOfBuffer) + 17;

    /// <summary>A buffer is filled while the one before is still to be copied; the emulated device also sees a buffer that is written too early.</summary>
    [Fact]
    public void A_buffer_is_filled_while_the_one_before_is_copied()
    {
        bool isEmulated = device.Context.Device.Name.StartsWith("Emulated", StringComparison.Ordinal);
        var weights = new ushort[Rows * Columns];
        for (int i = 0; i < weights.Length; i++)
            weights[i] = (ushort)(i * 31);
        var told = new List<long>();
        using DeviceMemory memory = DeviceMemory.Allocate(device.Context, weights.Length * (long)sizeof(ushort));
        var found = new ushort[weights.Length];
        using (var ring = new UploadRing(device.Context, device.Stream, new Reports(told)))
        {
            fixed (ushort* start = weights)
            {
                HostTensor tensor = new((nint)start, DType.BF16, new Shape(Rows, Columns));
                ring.Upload(memory.Span, DType.BF16, Columns, Rows, row =>
                {
                    if (isEmulated && row > 0 && row % RowsOfBuffer == 0)
                        Assert.False(device.Stream.IsIdle(), $"the copy before row {row} was waited for");
                    // Rows in another order, as the kernels want them.
                    return new HostRow(tensor, Rows - 1 - row);
                });
            }

            device.Stream.CopyToHost<ushort>(found, memory.Span);
        }

        for (int row = 0; row < Rows; row++)
            Assert.True(
                found.AsSpan(row * Columns, Columns).SequenceEqual(weights.AsSpan((Rows - 1 - row) * Columns, Columns)), $"row {row} is not what was uploaded");
        const long BufferBytes = 8 << 20;
        Assert.Equal([BufferBytes, 2 * BufferBytes, 3 * BufferBytes, 4 * BufferBytes, memory.LengthBytes], told);
    }

    private sealed class Reports(List<long> told) : IProgress<long>
    {
        public void Report(long value) => told.Add(value);
    }
}
