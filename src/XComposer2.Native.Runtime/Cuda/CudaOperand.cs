using XComposer2.Native.Cuda;
using XComposer2.Native.Graph;

namespace XComposer2.Native.Runtime;

/// <summary>An input or intermediate result: where it lies and how its rows are counted.</summary>
internal readonly struct CudaOperand
{
    private readonly DevicePointer fixedAddress;
    private readonly long arenaOffsetBytes;
    private readonly RowExtent rows;

    private CudaOperand(DevicePointer fixedAddress, long arenaOffsetBytes, TensorSpec spec)
    {
        this.fixedAddress = fixedAddress;
        this.arenaOffsetBytes = arenaOffsetBytes;
        rows = spec.Rows;
        Columns = spec.RowElements;
        Type = spec.Type;
    }

    /// <summary>Elements of one row.</summary>
    public int Columns { get; }

    public DType Type { get; }

    public static CudaOperand InArena(long offsetBytes, TensorSpec spec) => new(default, offsetBytes, spec);

    public static CudaOperand At(DevicePointer address, TensorSpec spec) => new(address, 0, spec);

    public DevicePointer Pointer(in CudaRun run) => fixedAddress.Address == 0 ? run.Arena + arenaOffsetBytes : fixedAddress;

    /// <summary>Rows of this run.</summary>
    public int Rows(in CudaRun run) => run.Counts.Resolve(rows);
}
