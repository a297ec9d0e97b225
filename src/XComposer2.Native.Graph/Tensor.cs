namespace XComposer2.Native.Graph;

/// <summary>Handle of a tensor within one <see cref="ComputeGraph"/>: an index into <see cref="ComputeGraph.Tensors"/>.</summary>
public readonly record struct Tensor(int Index);

public enum TensorRole : byte
{
    /// <summary>Written by the caller before each run; lives outside the arena.</summary>
    Input,

    /// <summary>Rows that lie in memory of the caller's own, bound in the tensor's place and read there. Its shape is that of one row: how many there are is
    /// the memory's affair.</summary>
    Resident,

    /// <summary>Read-only, from the checkpoint; lives outside the arena.</summary>
    Weight,

    /// <summary>Made and consumed inside the graph; the planner places it in the arena.</summary>
    Temporary,

    /// <summary>Made inside the graph and kept in the arena, untouched, until the run has ended.</summary>
    Output,

    /// <summary>The gradient of a trained weight, F32, of the weight's shape. Operations add to it, as often as they like and over several runs; no operation
    /// reads it. It lies in memory of the caller's own, outside the arena.</summary>
    Gradient,
}

/// <summary>A tensor of a graph: facts only, no storage. <see cref="Shape"/> has the planned capacity as its leading size.</summary>
public sealed record TensorSpec(string Name, DType Type, Shape Shape, RowExtent Rows, TensorRole Role)
{
    /// <summary>Bytes at full capacity.</summary>
    public long CapacityBytes => Type.Bytes(Shape.ElementCount);

    /// <summary>Elements of one leading row; 1 for rank 1.</summary>
    public int RowElements
    {
        get
        {
            int count = 1;
            for (int i = 1; i < Shape.Rank; i++)
                count = checked(count * Shape[i]);
            return count;
        }
    }
}
