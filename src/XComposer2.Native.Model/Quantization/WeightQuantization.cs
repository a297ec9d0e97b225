using XComposer2.Native.Graph;

namespace XComposer2.Native.Model;

/// <summary>What is done to the decoder's linears (packed projection, attention output, gate, up, down) while they are loaded. Everything else stays as stored:
/// Partial LoRA is small and works on the rest's error, and the head's error would go straight into the logits.</summary>
public enum WeightQuantization : byte
{
    /// <summary>Nothing: as stored.</summary>
    None,

    /// <summary>8-bit integers with one scale for each output row (<see cref="Int8Rows"/>).</summary>
    Int8,
}

/// <summary>Which weights a quantisation makes, and in which format: loading, planning and compiling ahead of time all ask here.</summary>
public static class WeightQuantizations
{
    /// <summary>The format in which a weight of this name is served; null where it stays as stored.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The quantisation is not known.</exception>
    public static WeightFormat? FormatOf(this WeightQuantization quantization, string name) =>
        quantization.MatrixFormat() is { } format && QuantizedWeights.Covers(name) ? format : null;

    /// <summary>The format of the weights that are quantised; null where none is.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The quantisation is not known.</exception>
    public static WeightFormat? MatrixFormat(this WeightQuantization quantization) => quantization switch
    {
        WeightQuantization.None => null,
        WeightQuantization.Int8 => WeightFormat.Int8,
        _ => throw new ArgumentOutOfRangeException(nameof(quantization), quantization, $"expected one of {string.Join(", ", Enum.GetNames<WeightQuantization>())}"),
    };
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
