using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using XComposer2.Native.Cuda;

namespace XComposer2.Native.Kernels;

/// <summary>Reads memory as fast as the device can, and adds it up: measures the limit of kernels that are bounded by bytes, and empties the L2 cache of all else.</summary>
public sealed record ReadStream : KernelDefinition
{
    /// <summary>Memory is read in units of so many bytes.</summary>
    public const int ChunkBytes = 16;

    private const int WarpLanes = 32;

    public override string Source => "measurement/read_stream.cu";

    public override int ArgumentBytes => Unsafe.SizeOf<ReadStreamArguments>();

    public override int BlockThreads => 512;

    protected override IEnumerable<(string Name, string Value)> Definitions => [];

    /// <summary>As many blocks as the device holds at once.</summary>
    public LaunchGeometry Geometry(int multiprocessors, int threadsPerMultiprocessor)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(multiprocessors, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(threadsPerMultiprocessor, BlockThreads);
        return new LaunchGeometry(multiprocessors * (threadsPerMultiprocessor / BlockThreads), BlockThreads);
    }

    /// <summary>Bytes of the sums of a launch.</summary>
    public long SumBytes(in LaunchGeometry geometry) => (long)geometry.Grid.X * (BlockThreads / WarpLanes) * sizeof(uint);

    /// <param name="lengthBytes">What is read, whole chunks.</param>
    /// <param name="geometry">Of the launch.</param>
    public KernelCost Cost(long lengthBytes, in LaunchGeometry geometry) => new(lengthBytes + SumBytes(geometry), 0);

    internal override IEnumerable<KernelCase> Cases(CaseContext context) => [ProbeCases.Of(this, context.Device, context.Counts)];
}

/// <summary>As <c>measurement/read_stream.cu</c> declares it.</summary>
/// <param name="Values">[chunks] of 16 bytes, aligned to them.</param>
/// <param name="Sums">U32 [warps of the grid]: sums of 32-bit words, modulo 2^32.</param>
/// <param name="Chunks">Of 16 bytes.</param>
[StructLayout(LayoutKind.Sequential)]
public readonly record struct ReadStreamArguments(DevicePointer Values, DevicePointer Sums, ulong Chunks);
