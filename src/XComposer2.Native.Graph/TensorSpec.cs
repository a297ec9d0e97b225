namespace XComposer2.Native.Graph;

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
