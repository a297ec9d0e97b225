using XComposer2.Native.Graph;

namespace XComposer2.Native.Model;

/// <summary>Which matrices are made integers while loading, and in which format; equal choices are equal values, and the default is nothing. Loading, planning
/// and compiling ahead of time all ask here. Norms and biases stay as stored.</summary>
public readonly record struct WeightQuantization
{
    /// <summary>Nothing: all weights as stored.</summary>
    public static WeightQuantization None => default;

    /// <summary>The decoder's linears as 8-bit integers with one scale for each output row (<see cref="Int8Rows"/>).</summary>
    public static WeightQuantization Int8 => new() { Linears = WeightFormat.Int8 };

    /// <summary>The decoder's linears as 4-bit integers by groups of 128; Partial LoRA, the head, the vision tower, the projector and the embeddings as 8-bit integers.</summary>
    public static WeightQuantization Int4 => new()
    {
        Linears = WeightFormat.Grouped(4, DefaultGroupSize),
        PartialLora = WeightFormat.Int8,
        Head = WeightFormat.Int8,
        Vision = WeightFormat.Int8,
        Embeddings = WeightFormat.Int8,
    };

    /// <summary>Columns of a group where none is chosen.</summary>
    public const int DefaultGroupSize = 128;

    /// <summary>The decoder's linears: packed projection, attention output, gate, up, down. Null as stored.</summary>
    public WeightFormat? Linears { get; init; }

    /// <summary>Both matrices of each Partial LoRA. Null as stored.</summary>
    public WeightFormat? PartialLora { get; init; }

    /// <summary>The head, whose error goes straight into the logits. Null as stored.</summary>
    public WeightFormat? Head { get; init; }

    /// <summary>The linears of the vision tower and of the projector. Null as stored.</summary>
    public WeightFormat? Vision { get; init; }

    /// <summary>The table of token embeddings: int8 by rows. Null as stored.</summary>
    public WeightFormat? Embeddings { get; init; }

    /// <summary>Nothing is quantised.</summary>
    public bool IsNone => this == default;

    /// <summary>The format in which a weight of this name is served; null where it stays as stored.</summary>
    public WeightFormat? FormatOf(string name)
    {
        if (!name.EndsWith(".weight", StringComparison.Ordinal))
            return null;
        return ModelTensors.KindOf(name) switch
        {
            TensorKind.Attention or TensorKind.FeedForward => Linears,
            TensorKind.PartialLora => PartialLora,
            TensorKind.Head => Head,
            TensorKind.Embedding => Embeddings,
            TensorKind.Projector => Vision,
            TensorKind.Vision when name.EndsWith("_proj.weight", StringComparison.Ordinal) || name.Contains(".mlp.fc", StringComparison.Ordinal) => Vision,
            _ => null,
        };
    }

    /// <summary>Refuses formats that no quantiser makes.</summary>
    /// <exception cref="ArgumentException">The message names the part, what was expected and what was found.</exception>
    public void Require()
    {
        Require("linears", Linears);
        Require("Partial LoRA", PartialLora);
        Require("head", Head);
        Require("vision", Vision);
        if (Embeddings is { } table && table != WeightFormat.Int8)
            throw new ArgumentException($"quantization of embeddings: expected {WeightFormat.Int8}, found {table}");
    }

    /// <summary>For people, for example <c>decoder's linears as int4 by 128, head as int8</c>; empty where nothing is quantised.</summary>
    public override string ToString() => string.Join(", ", Described());

    private static void Require(string part, WeightFormat? format)
    {
        if (format is { IsFloat: true } or { HasGroupIndex: true })
            throw new ArgumentException($"quantization of {part}: expected integers without a group index, found {format}");
    }

    private IEnumerable<string> Described()
    {
        foreach ((string part, WeightFormat? format) in new[] { ("decoder's linears", Linears), ("Partial LoRA", PartialLora), ("head", Head), ("vision", Vision), ("embeddings", Embeddings) })
            if (format is { } found)
                yield return $"{part} as {found}";
    }
}

/// <summary>A weight matrix as integers, in host memory of its own.</summary>
public interface IQuantizedMatrix : IDisposable
{
    /// <summary>Bytes of all parts.</summary>
    long TotalBytes { get; }

    /// <summary>A part of the format.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The format has no such part.</exception>
    HostTensor this[WeightPart part] { get; }
}

/// <summary>Chooses the quantiser of a format.</summary>
public static class WeightQuantizer
{
    /// <param name="weights">[out, in] of a floating type.</param>
    /// <param name="format">Of integers.</param>
    /// <param name="name">For messages.</param>
    /// <param name="cancellation">Takes effect between chunks of rows.</param>
    /// <exception cref="ArgumentException">Not a matrix of a floating type, or the format has no quantiser.</exception>
    /// <exception cref="InvalidDataException">A weight is NaN or infinite.</exception>
    public static IQuantizedMatrix Quantize(HostTensor weights, WeightFormat format, string name, CancellationToken cancellation = default)
    {
        if (format == WeightFormat.Int8)
            return Int8Rows.Quantize(weights, name, cancellation);
        return format.GroupSize > 0
            ? GroupedIntegers.Quantize(weights, format, name, cancellation)
            : throw new ArgumentException($"{name}: expected a format of integers, found {format}", nameof(format));
    }
}
