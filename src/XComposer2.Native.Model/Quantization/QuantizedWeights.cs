using XComposer2.Native.Graph;

namespace XComposer2.Native.Model;

/// <summary>
/// A model's weights with some of them as integers: their parts have the names of <see cref="WeightFormat.NameOf"/>, all else is the source's. A weight is
/// quantised when it is first asked for, on all cores, and the source is told that it is not needed any more: there is never more than one
/// weight in both forms. Safe to use from several threads.
/// </summary>
public sealed class QuantizedWeights : IWeightSource
{
    private readonly IWeightSource source;
    private readonly Func<string, WeightFormat?> formatOf;
    private readonly Dictionary<string, IQuantizedMatrix> quantized = [];
    private readonly Lock making = new();

    /// <summary>Takes ownership of <paramref name="source"/>.</summary>
    public QuantizedWeights(IWeightSource source, WeightQuantization quantization)
    {
        ArgumentNullException.ThrowIfNull(source);
        this.source = source;
        formatOf = quantization.FormatOf;
    }

    /// <summary>Takes ownership of <paramref name="source"/>.</summary>
    /// <param name="source">Stored weights.</param>
    /// <param name="linears">Format of the decoder's linears; all else is served as stored.</param>
    public QuantizedWeights(IWeightSource source, WeightFormat linears)
        : this(source, new WeightQuantization { Linears = linears })
    {
    }

    /// <summary>Takes ownership of <paramref name="source"/>.</summary>
    /// <param name="source">Stored weights.</param>
    /// <param name="formatOf">The format in which a weight of this name is served; null where it stays as stored.</param>
    public QuantizedWeights(IWeightSource source, Func<string, WeightFormat?> formatOf)
    {
        ArgumentNullException.ThrowIfNull(source);
        ArgumentNullException.ThrowIfNull(formatOf);
        this.source = source;
        this.formatOf = formatOf;
    }

    /// <summary>Bytes of all weights that are quantised now, scales included.</summary>
    public long TotalBytes
    {
        get
        {
            lock (making)
                return quantized.Values.Sum(matrix => matrix.TotalBytes);
        }
    }

    /// <inheritdoc/>
    /// <exception cref="CheckpointException">A weight to quantise is NaN or infinite: names it, its row and its column.</exception>
    public bool TryGet(string name, out HostTensor tensor)
    {
        if (WeightOf(name) is not { } weight)
            return source.TryGet(name, out tensor);
        tensor = default;
        if (Quantized(weight.Name, weight.Format) is not { } matrix)
            return false;
        tensor = matrix[weight.Part];
        return true;
    }

    public bool TryDescribe(string name, out HostTensor facts)
    {
        if (WeightOf(name) is not { } weight)
            return source.TryDescribe(name, out facts);
        if (!source.TryDescribe(weight.Name, out facts))
            return false;
        WeightPartSpec part = weight.Format.Parts(facts.Shape).Single(part => part.Part == weight.Part);
        facts = new HostTensor(0, part.Type, part.Shape);
        return true;
    }

    public bool TryGetFormat(string name, out WeightFormat format)
    {
        if (formatOf(name) is not { } quantizedFormat)
            return source.TryGetFormat(name, out format);
        format = quantizedFormat;
        return source.TryDescribe(name, out _);
    }

    public long AllocatedBytes(string name) => WeightOf(name) is null ? source.AllocatedBytes(name) : TryDescribe(name, out HostTensor facts) ? facts.Bytes : 0;

    public long HeldBytes => TotalBytes + source.HeldBytes;

    public void RequireIntact() => source.RequireIntact();

    /// <summary>Frees a quantised weight with all its parts.</summary>
    public void Release(string name)
    {
        if (WeightOf(name) is not { } weight)
        {
            source.Release(name);
            return;
        }

        lock (making)
        {
            if (quantized.Remove(weight.Name, out IQuantizedMatrix? matrix))
                matrix.Dispose();
        }
    }

    /// <summary>Quantises every weight of a model now rather than when it is first used.</summary>
    /// <exception cref="CheckpointException">As <see cref="TryGet"/>.</exception>
    public void QuantizeAll(ModelConfig config, CancellationToken cancellation = default)
    {
        foreach (ExpectedTensor expected in ModelTensors.Expected(config))
        {
            cancellation.ThrowIfCancellationRequested();
            if (formatOf(expected.Name) is { } format)
                _ = Quantized(expected.Name, format);
        }
    }

    public void Dispose()
    {
        lock (making)
        {
            foreach (IQuantizedMatrix matrix in quantized.Values)
                matrix.Dispose();
            quantized.Clear();
        }

        source.Dispose();
    }

    /// <summary>The quantised weight that a name is of, and which of its parts; null where the name is the source's.</summary>
    private (string Name, WeightFormat Format, WeightPart Part)? WeightOf(string name)
    {
        (string weight, WeightPart part) = WeightFormat.Parse(name);
        return formatOf(weight) is { } format && format.Has(part) ? (weight, format, part) : null;
    }

    private IQuantizedMatrix? Quantized(string name, WeightFormat format)
    {
        lock (making)
        {
            if (quantized.TryGetValue(name, out IQuantizedMatrix? matrix))
                return matrix;
            if (!source.TryGet(name, out HostTensor stored))
                return null;
            try
            {
                quantized.Add(name, matrix = WeightQuantizer.Quantize(stored, format, name));
                return matrix;
            }
            catch (InvalidDataException error) when (NonFiniteScan.Find(stored) >= 0)
            {
                throw NotFinite(name, stored, error);
            }
            finally
            {
                source.Release(name);
            }
        }
    }

    private CheckpointException NotFinite(string name, HostTensor stored, InvalidDataException error)
    {
        // The quantiser names whichever it met first; this is the first in the matrix.
        (long row, long column) = Math.DivRem(NonFiniteScan.Find(stored), stored.Shape[1]);
        return new CheckpointException(
            (source as Checkpoint)?.Directory ?? "weights", $"tensor {CheckpointException.Show(name)}", "finite weights to quantise", $"NaN or infinity in row {row}, column {column}", error);
    }
}
