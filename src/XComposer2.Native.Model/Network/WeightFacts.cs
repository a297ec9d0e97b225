using XComposer2.Native.Graph;

namespace XComposer2.Native.Model;

/// <summary>Type and shape of every weight that the network uses, so that graphs can be built and planned without the bytes.</summary>
public sealed class WeightFacts
{
    private readonly Dictionary<string, HostTensor> tensors = new(StringComparer.Ordinal);

    private WeightFacts()
    {
    }

    /// <summary>Bytes of all of them, each counted as the graphs use it.</summary>
    public long TotalBytes => tensors.Values.Sum(tensor => tensor.Bytes);

    /// <summary>Bytes that a decode step reads once: the decoder's layers without Partial LoRA, norm and head.</summary>
    public long DecodeBytes => tensors.Sum(static pair =>
        ModelTensors.KindOf(pair.Key) is TensorKind.Norm or TensorKind.Attention or TensorKind.FeedForward or TensorKind.Head ? pair.Value.Bytes : 0);

    /// <summary>Of these, bytes of integers that were quantised while loading, and of their scales.</summary>
    public long QuantizedBytes => tensors.Where(static pair => pair.Value.Type == DType.I8).Sum(pair => pair.Value.Bytes + tensors[pair.Key + Int8Weights.ScaleSuffix].Bytes);

    /// <summary>Elements of one weight.</summary>
    /// <exception cref="KeyNotFoundException">There is none of this name.</exception>
    public long ElementsOf(string name) => tensors[name].Shape.ElementCount;

    /// <summary>Facts of the weights of a source.</summary>
    /// <exception cref="CheckpointException">One that the model needs is not there.</exception>
    public static WeightFacts Of(IWeightSource source, ModelConfig config)
    {
        ArgumentNullException.ThrowIfNull(source);
        var facts = new WeightFacts();
        foreach (ExpectedTensor expected in ModelTensors.Expected(config))
        {
            if (!source.TryDescribe(expected.Name, out HostTensor tensor))
                throw Missing(source, expected.Name, $"{expected.Shape}");
            facts.tensors.Add(expected.Name, tensor);
            string scale = expected.Name + Int8Weights.ScaleSuffix;
            if (tensor.Type == DType.I8)
                facts.tensors.Add(scale, source.TryDescribe(scale, out HostTensor scales) ? scales : throw Missing(source, scale, $"F32 [{expected.Shape[0]}] beside I8 weights"));
        }

        return facts;
    }

    /// <summary>Facts of a model whose weights are all of one type, as <see cref="PreparedWeights"/> would serve them.</summary>
    /// <param name="config">Sizes.</param>
    /// <param name="type">As stored.</param>
    /// <param name="quantization">What is done to the decoder's linears.</param>
    public static WeightFacts Uniform(ModelConfig config, DType type, WeightQuantization quantization = WeightQuantization.None)
    {
        var facts = new WeightFacts();
        foreach (ExpectedTensor expected in ModelTensors.Expected(config))
        {
            bool isQuantized = quantization == WeightQuantization.Int8 && Int8Weights.Covers(expected.Name);
            facts.tensors.Add(expected.Name, new HostTensor(0, isQuantized ? DType.I8 : type, expected.Shape));
            if (isQuantized)
                facts.tensors.Add(expected.Name + Int8Weights.ScaleSuffix, new HostTensor(0, DType.F32, new Shape(expected.Shape[0])));
        }

        facts.tensors[ModelTensors.PositionTableName] = new HostTensor(0, DType.F32, new Shape(config.TokensPerImage + 1, config.Vision.Width));
        return facts;
    }

    /// <summary>Declares a weight of this name in a graph.</summary>
    internal Tensor Declare(GraphBuilder builder, string name) => tensors.TryGetValue(name, out HostTensor tensor)
        ? builder.Weight(name, tensor.Type, tensor.Shape)
        : throw new ArgumentException($"no weight is called '{name}'", nameof(name));

    /// <summary>Declares the scales of a weight in a graph; null where it has none.</summary>
    internal Tensor? DeclareScale(GraphBuilder builder, string name) =>
        tensors.ContainsKey(name + Int8Weights.ScaleSuffix) ? Declare(builder, name + Int8Weights.ScaleSuffix) : null;

    private static CheckpointException Missing(IWeightSource source, string name, string expected) =>
        new((source as Checkpoint)?.Directory ?? "weights", $"tensor {CheckpointException.Show(name)}", expected, "no such tensor");
}
