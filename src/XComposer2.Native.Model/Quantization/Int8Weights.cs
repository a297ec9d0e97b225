using XComposer2.Native.Graph;

namespace XComposer2.Native.Model;

/// <summary>
/// A model's weights with the decoder's linears as 8-bit integers: NAME is I8 [out, in] and NAME.scale its F32 [out], all else is the source's. A weight is
/// quantised when it is first asked for, on all cores, and the source is told that it is not needed any more: there is never more than one
/// weight in both forms. Safe to use from several threads.
/// </summary>
public sealed class Int8Weights : IWeightSource
{
    /// <summary>Of the scales' names.</summary>
    public const string ScaleSuffix = ".scale";

    private readonly IWeightSource source;
    private readonly Dictionary<string, Int8Rows> quantized = [];
    private readonly Lock making = new();

    /// <summary>Takes ownership of <paramref name="source"/>.</summary>
    public Int8Weights(IWeightSource source)
    {
        ArgumentNullException.ThrowIfNull(source);
        this.source = source;
    }

    /// <summary>Bytes of all weights that are quantised now, scales included.</summary>
    public long TotalBytes
    {
        get
        {
            lock (making)
                return quantized.Values.Sum(rows => rows.TotalBytes);
        }
    }

    /// <summary>Whether a weight is one of those that are quantised.</summary>
    public static bool Covers(string name) => ModelTensors.KindOf(name) is TensorKind.Attention or TensorKind.FeedForward && name.EndsWith(".weight", StringComparison.Ordinal);

    /// <inheritdoc/>
    /// <exception cref="CheckpointException">A weight to quantise is NaN or infinite: names it, its row and its column.</exception>
    public bool TryGet(string name, out HostTensor tensor)
    {
        if (WeightOf(name) is not { } weight)
            return source.TryGet(name, out tensor);
        tensor = default;
        if (Quantized(weight) is not { } rows)
            return false;
        tensor = name == weight ? rows.Values : rows.Scales;
        return true;
    }

    public bool TryDescribe(string name, out HostTensor facts)
    {
        if (WeightOf(name) is not { } weight)
            return source.TryDescribe(name, out facts);
        if (!source.TryDescribe(weight, out facts))
            return false;
        facts = name == weight ? facts with { Type = DType.I8 } : new HostTensor(0, DType.F32, new Shape(facts.Shape[0]));
        return true;
    }

    /// <summary>Frees a quantised weight together with its scales.</summary>
    public void Release(string name)
    {
        if (WeightOf(name) is not { } weight)
        {
            source.Release(name);
            return;
        }

        lock (making)
        {
            if (quantized.Remove(weight, out Int8Rows? rows))
                rows.Dispose();
        }
    }

    /// <summary>Quantises every weight of a model now rather than when it is first used.</summary>
    /// <exception cref="CheckpointException">As <see cref="TryGet"/>.</exception>
    public void QuantizeAll(ModelConfig config, CancellationToken cancellation = default)
    {
        foreach (ExpectedTensor expected in ModelTensors.Expected(config))
        {
            cancellation.ThrowIfCancellationRequested();
            if (Covers(expected.Name))
                _ = Quantized(expected.Name);
        }
    }

    public void Dispose()
    {
        lock (making)
        {
            foreach (Int8Rows rows in quantized.Values)
                rows.Dispose();
            quantized.Clear();
        }

        source.Dispose();
    }

    /// <summary>The quantised weight that a name is of, as itself or as its scales; null where it is the source's.</summary>
    private static string? WeightOf(string name)
    {
        string weight = name.EndsWith(ScaleSuffix, StringComparison.Ordinal) ? name[..^ScaleSuffix.Length] : name;
        return Covers(weight) ? weight : null;
    }

    private Int8Rows? Quantized(string name)
    {
        lock (making)
        {
            if (quantized.TryGetValue(name, out Int8Rows? rows))
                return rows;
            if (!source.TryGet(name, out HostTensor stored))
                return null;
            try
            {
                quantized.Add(name, rows = Int8Rows.Quantize(stored, name));
                return rows;
            }
            catch (InvalidDataException error)
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

/// <summary>What is done to the decoder's linears (packed projection, attention output, gate, up, down) while they are loaded. Everything else stays as stored:
/// Partial LoRA is small and works on the rest's error, and the head's error would go straight into the logits.</summary>
public enum WeightQuantization : byte
{
    /// <summary>Nothing: as stored.</summary>
    None,

    /// <summary>8-bit integers with one scale for each output row (<see cref="Int8Rows"/>).</summary>
    Int8,
}
