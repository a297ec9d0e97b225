using XComposer2.Native.Graph;

namespace XComposer2.Native.Runtime;

/// <summary>An input or intermediate result: where it lies and how its rows are counted.</summary>
internal readonly unsafe struct CpuOperand
{
    private readonly byte* fixedAddress;
    private readonly long arenaOffsetBytes;
    private readonly RowExtent rows;

    private CpuOperand(byte* fixedAddress, long arenaOffsetBytes, RowExtent rows, int columns)
    {
        this.fixedAddress = fixedAddress;
        this.arenaOffsetBytes = arenaOffsetBytes;
        this.rows = rows;
        Columns = columns;
    }

    /// <summary>Elements of one row.</summary>
    public int Columns { get; }

    public static CpuOperand InArena(long offsetBytes, TensorSpec spec) => new(null, offsetBytes, spec.Rows, spec.RowElements);

    public static CpuOperand At(byte* address, TensorSpec spec) => new(address, 0, spec.Rows, spec.RowElements);

    public float* Floats(in CpuRun run) => (float*)Address(run);

    public int* Integers(in CpuRun run) => (int*)Address(run);

    /// <summary>Rows of this run.</summary>
    public int Rows(in CpuRun run) => run.Counts.Resolve(rows);

    private byte* Address(in CpuRun run) => fixedAddress is null ? run.Arena + arenaOffsetBytes : fixedAddress;
}
