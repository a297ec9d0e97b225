using System.Collections.Immutable;

namespace XComposer2.Native.Graph;

/// <summary>Operations in execution order over tensors: built by GraphBuilder, immutable afterwards.</summary>
public sealed record ComputeGraph(
    string Name,
    RowCounts Capacity,
    ImmutableArray<TensorSpec> Tensors,
    ImmutableArray<Operation> Operations)
{
    /// <summary>A step of generated tokens: row i is the newest token of sequence i, and all of it is text.</summary>
    public bool HasOneRowPerSequence { get; init; }

    /// <summary>Products may be summed in any order: nothing compares them to the bit with those of another graph, as decoding is compared with prefill.</summary>
    public bool HasFreeSums { get; init; }

    /// <summary>How the device that the graph was lowered for caches keys and values; null for the type of its activations.</summary>
    public CacheFormat? Cache { get; init; }

    public TensorSpec this[Tensor tensor] => Tensors[tensor.Index];

    /// <summary>Bytes of all inputs at full capacity.</summary>
    public long InputBytes() => Tensors.Where(tensor => tensor.Role == TensorRole.Input).Sum(tensor => tensor.CapacityBytes);

    /// <summary>The tensor of this name.</summary>
    /// <exception cref="ArgumentException">There is none.</exception>
    public Tensor Find(string name)
    {
        for (int i = 0; i < Tensors.Length; i++)
            if (Tensors[i].Name == name)
                return new Tensor(i);
        throw new ArgumentException($"graph '{Name}' has no tensor '{name}'", nameof(name));
    }
}

/// <summary>A graph that cannot be: the message names the graph, the operation, the tensor, what was expected and what was found.</summary>
public sealed class GraphException : Exception
{
    public GraphException()
    {
    }

    public GraphException(string message)
        : base(message)
    {
    }

    public GraphException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
