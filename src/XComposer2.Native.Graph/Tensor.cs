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
}

/// <summary>A tensor of a graph: facts only, no storage. <see cref="Shape"/> has the planned capacity as its leading size.</summary>
public sealed record TensorSpec(string Name, DType Type, Shape Shape, RowExtent Rows, TensorRole Role)
{
    /// <summary>Bytes at full capacity.</summary>
    public long CapacityBytes => checked(Shape.ElementCount * Type.ElementBytes());

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

/// <summary>Element type of a tensor, as stored. Arithmetic on all floating types accumulates in <see cref="F32"/>.</summary>
public enum DType : byte
{
    F32,
    F16,
    BF16,
    I64,
    I32,
    I8,
    U8,
}

public static class DTypeExtensions
{
    /// <summary>Bytes of one element.</summary>
    public static int ElementBytes(this DType type) => type switch
    {
        DType.I64 => 8,
        DType.F32 or DType.I32 => 4,
        DType.F16 or DType.BF16 => 2,
        DType.I8 or DType.U8 => 1,
        _ => throw new ArgumentOutOfRangeException(nameof(type), type, "not a DType"),
    };

    public static bool IsFloat(this DType type) => type is DType.F32 or DType.F16 or DType.BF16;
}
