using XComposer2.Native.Cuda;
using XComposer2.Native.Graph;

namespace XComposer2.Native.Kernels;

/// <summary>A kernel that takes one warp for each row of a matrix.</summary>
public abstract record RowKernel<TOperation> : OperationKernel<TOperation>
    where TOperation : Operation
{
    private const int WarpLanes = 32, AccessElements = 4;

    /// <param name="columns">A multiple of 4.</param>
    protected RowKernel(int columns)
    {
        if (columns < AccessElements || columns % AccessElements != 0)
            throw new ArgumentOutOfRangeException(nameof(columns), columns, $"expected a multiple of {AccessElements}");
        Columns = columns;
    }

    public int Columns { get; }

    public override int BlockThreads => 128;

    /// <summary>A warp a row.</summary>
    public LaunchGeometry Geometry(int rows)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(rows, 1);
        int blockRows = BlockThreads / WarpLanes;
        return new LaunchGeometry((rows + blockRows - 1) / blockRows, BlockThreads);
    }

    protected override IEnumerable<(string Name, string Value)> Definitions => [("COLUMNS", Number(Columns))];
}
