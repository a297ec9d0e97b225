namespace XComposer2.Native.Graph;

/// <summary>Weight bytes in host memory (usually a mapped file), dense and row-major. The owner is the <see cref="IWeightSource"/> it came from.</summary>
/// <param name="Data">Address of the first element; aligned to the element size at least.</param>
/// <param name="Type">Element type as stored.</param>
/// <param name="Shape">Sizes.</param>
public readonly record struct HostTensor(nint Data, DType Type, Shape Shape)
{
    public long Bytes => checked(Shape.ElementCount * Type.ElementBytes());
}
