namespace XComposer2.Native.Graph;

/// <summary>Weights by the names that a graph uses. Addresses stay valid until the source is disposed, or told that a tensor is no longer needed.</summary>
public interface IWeightSource : IDisposable
{
    /// <summary>False where no tensor of this name exists.</summary>
    bool TryGet(string name, out HostTensor tensor);

    /// <summary>Type and shape alone, with no address. A source that makes bytes when they are asked for makes none here.</summary>
    bool TryDescribe(string name, out HostTensor facts)
    {
        bool found = TryGet(name, out facts);
        facts = facts with { Data = 0 };
        return found;
    }

    /// <summary>
    /// How a weight is stored. A source that quantises, or reads quantised files, states the format here and serves the parts by the names of
    /// <see cref="WeightFormat.NameOf"/>; nothing is inferred from which tensors are there. False where the weight is missing, or is of integers and no format is stated.
    /// </summary>
    bool TryGetFormat(string name, out WeightFormat format)
    {
        bool isFloat = TryDescribe(name, out HostTensor facts) && facts.Type.IsFloat();
        format = isFloat ? WeightFormat.Of(facts.Type) : default;
        return isFloat;
    }

    /// <summary>Bytes that asking for a tensor allocates until it is released: of one that is dequantised, merged, quantised or copied; 0 for one that is used where it lies.</summary>
    long AllocatedBytes(string name) => 0;

    /// <summary>Bytes that are allocated now for tensors that were asked for.</summary>
    long HeldBytes => 0;

    /// <summary>For callers that are about to read tensors where they lie: throws where a file has become shorter since it was mapped, since reading it would end the process.</summary>
    void RequireIntact()
    {
    }

    /// <summary>The bytes of a tensor have been used and are not needed now: what was allocated for it alone may be freed. Asked for again, it is the same.</summary>
    void Release(string name)
    {
    }
}

/// <summary>Weight bytes in host memory (usually a mapped file), dense and row-major. The owner is the <see cref="IWeightSource"/> it came from.</summary>
/// <param name="Data">Address of the first element; aligned to the element size (a byte at least).</param>
/// <param name="Type">Element type as stored.</param>
/// <param name="Shape">Sizes.</param>
public readonly record struct HostTensor(nint Data, DType Type, Shape Shape)
{
    public long Bytes => Type.Bytes(Shape.ElementCount);
}
