using XComposer2.Native.Graph;

namespace XComposer2.Native.Model;

/// <summary>The parts of a matrix of integers, each in native memory of its own. Owns its memory.</summary>
internal sealed class IntegerParts : IQuantizedMatrix
{
    private const int Kinds = (int)WeightPart.GroupIndex + 1;

    private readonly NativeBlock?[] blocks = new NativeBlock?[Kinds];
    private readonly HostTensor[] tensors = new HostTensor[Kinds];

    /// <param name="format">States which parts there are.</param>
    /// <param name="shape">[rows, columns].</param>
    /// <exception cref="InsufficientMemoryException">The system has no memory left.</exception>
    public IntegerParts(WeightFormat format, Shape shape)
    {
        Format = format;
        Shape = shape;
        try
        {
            foreach (WeightPartSpec part in format.Parts(shape))
            {
                var block = new NativeBlock(part.Bytes);
                blocks[(int)part.Part] = block;
                tensors[(int)part.Part] = new HostTensor(block.Address, part.Type, part.Shape);
            }
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    public WeightFormat Format { get; }

    /// <summary>[rows, columns].</summary>
    public Shape Shape { get; }

    public long TotalBytes => Format.Bytes(Shape);

    /// <exception cref="ArgumentOutOfRangeException">The format has no such part.</exception>
    public HostTensor this[WeightPart part] => blocks[(int)part] is not null
        ? tensors[(int)part]
        : throw new ArgumentOutOfRangeException(nameof(part), part, $"no part of {Format}");

    public void Dispose()
    {
        foreach (NativeBlock? block in blocks)
            block?.Dispose();
    }
}
