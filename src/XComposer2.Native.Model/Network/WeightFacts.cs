using System.Collections.Immutable;
using XComposer2.Native.Graph;

namespace XComposer2.Native.Model;

/// <summary>Type and shape of every weight that the network uses, so that graphs can be built and planned without the bytes.</summary>
public sealed class WeightFacts
{
    private readonly Dictionary<string, HostTensor> tensors = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Matrix> matrices = new(StringComparer.Ordinal);

    private WeightFacts()
    {
    }

    /// <summary>Bytes of all of them, each counted as the graphs use it.</summary>
    public long TotalBytes => tensors.Values.Sum(tensor => tensor.Bytes);

    /// <summary>Bytes that a decode step reads once: the decoder's layers without Partial LoRA, norm and head.</summary>
    public long DecodeBytes => tensors.Sum(static pair =>
        ModelTensors.KindOf(WeightFormat.Parse(pair.Key).Weight) is TensorKind.Norm or TensorKind.Attention or TensorKind.FeedForward or TensorKind.Head ? pair.Value.Bytes : 0);

    /// <summary>Of these, bytes of linears of integers, with all parts of their formats.</summary>
    public long QuantizedBytes => Integers.Sum(static weight => weight.Format.Bytes(weight.Shape));

    /// <summary>Format and shape of every linear of integers.</summary>
    public IEnumerable<(WeightFormat Format, Shape Shape)> Integers =>
        matrices.Where(static pair => !pair.Value.Format.IsFloat && pair.Key != CheckpointFolder.EmbeddingName).Select(static pair => (pair.Value.Format, pair.Value.Shape));

    /// <summary>Bytes of weights that are not used where they lie: dequantised from GPTQ, merged with adapters, resized, or copied to be aligned; and embeddings that are quantised.</summary>
    public long ConvertedBytes => matrices.Values.Sum(static matrix => matrix.ConvertedBytes);

    /// <summary>The largest of them that has a floating type.</summary>
    public long LargestConvertedBytes => matrices.Values.Max(static matrix => matrix.Format.IsFloat ? matrix.ConvertedBytes : 0);

    /// <summary>Format and shape of the table of embeddings.</summary>
    public (WeightFormat Format, Shape Shape) Embeddings => (matrices[CheckpointFolder.EmbeddingName].Format, matrices[CheckpointFolder.EmbeddingName].Shape);

    /// <summary>Facts of the weights of a source.</summary>
    /// <exception cref="CheckpointException">One that the model needs is not there, or is of integers without a stated format.</exception>
    public static WeightFacts Of(IWeightSource source, ModelConfig config)
    {
        ArgumentNullException.ThrowIfNull(source);
        var facts = new WeightFacts();
        foreach (ExpectedTensor expected in ModelTensors.Expected(config))
        {
            if (!source.TryDescribe(expected.Name, out HostTensor tensor))
                throw Refused(source, expected.Name, $"{expected.Shape}", "no such tensor");
            if (!source.TryGetFormat(expected.Name, out WeightFormat format))
                throw Refused(source, expected.Name, "a floating type, or a source that states the format of its integers", $"{tensor.Type} {tensor.Shape} without a format");
            bool isTable = expected.Name == CheckpointFolder.EmbeddingName;
            if (isTable && !format.IsFloat && format != WeightFormat.Int8)
                throw Refused(source, expected.Name, $"a floating type or {WeightFormat.Int8}", $"{format}");
            long convertedBytes = format.IsFloat || isTable ? format.Parts(tensor.Shape).Sum(part => source.AllocatedBytes(WeightFormat.NameOf(expected.Name, part.Part))) : 0;
            foreach (WeightPartSpec part in facts.Add(expected.Name, format, tensor.Shape, convertedBytes))
            {
                string name = WeightFormat.NameOf(expected.Name, part.Part);
                HostTensor wanted = new(0, part.Type, part.Shape);
                bool isThere = source.TryDescribe(name, out HostTensor found);
                if (!isThere || found.Type != wanted.Type || found.Shape != wanted.Shape)
                    throw Refused(source, name, $"{part.Type} {part.Shape} for {format}", isThere ? $"{found.Type} {found.Shape}" : "no such tensor");
            }
        }

        return facts;
    }

    /// <summary>Facts of a model whose weights are all of one type, as <see cref="PreparedWeights"/> would serve them.</summary>
    /// <param name="config">Sizes.</param>
    /// <param name="type">As stored.</param>
    /// <param name="quantization">What is quantised while loading.</param>
    public static WeightFacts Uniform(ModelConfig config, DType type, WeightQuantization quantization = default)
    {
        var facts = new WeightFacts();
        foreach (ExpectedTensor expected in ModelTensors.Expected(config))
        {
            WeightFormat format = quantization.FormatOf(expected.Name) ?? WeightFormat.Of(type);
            facts.Add(expected.Name, format, expected.Shape, expected.Kind == TensorKind.Embedding && !format.IsFloat ? format.Bytes(expected.Shape) : 0);
        }

        var positions = new Shape(config.TokensPerImage + 1, config.Vision.Width);
        var resized = new HostTensor(0, DType.F32, positions);
        facts.tensors[ModelTensors.PositionTableName] = resized;
        facts.matrices[ModelTensors.PositionTableName] = new Matrix(WeightFormat.F32, positions, resized.Bytes);
        return facts;
    }

    /// <summary>Declares a weight of this name in a graph.</summary>
    internal Tensor Declare(GraphBuilder builder, string name) => tensors.TryGetValue(name, out HostTensor tensor)
        ? builder.Weight(name, tensor.Type, tensor.Shape)
        : throw new ArgumentException($"no weight is called '{name}'", nameof(name));

    /// <summary>Declares the weight matrix of a linear in a graph, with all parts of its format.</summary>
    internal LinearWeight DeclareMatrix(GraphBuilder builder, string name) => matrices.TryGetValue(name, out Matrix? matrix)
        ? builder.Weight(name, matrix.Format, matrix.Shape)
        : throw new ArgumentException($"no weight is called '{name}'", nameof(name));

    private ImmutableArray<WeightPartSpec> Add(string name, WeightFormat format, Shape shape, long convertedBytes = 0)
    {
        ImmutableArray<WeightPartSpec> parts = format.Parts(shape);
        matrices.Add(name, new Matrix(format, shape, convertedBytes));
        foreach (WeightPartSpec part in parts)
            tensors.Add(WeightFormat.NameOf(name, part.Part), new HostTensor(0, part.Type, part.Shape));
        return parts;
    }

    private static CheckpointException Refused(IWeightSource source, string name, string expected, string found) =>
        new((source as Checkpoint)?.Directory ?? "weights", $"tensor {CheckpointException.Show(name)}", expected, found);

    // A class: dictionaries of structs are compiled anew for each, at every start.
    private sealed record Matrix(WeightFormat Format, Shape Shape, long ConvertedBytes);
}
