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
            if (!source.TryGet(expected.Name, out HostTensor tensor))
                throw new CheckpointException((source as Checkpoint)?.Directory ?? "weights", $"tensor {CheckpointException.Show(expected.Name)}", $"{expected.Shape}", "no such tensor");
            facts.tensors.Add(expected.Name, tensor with { Data = 0 });
        }

        return facts;
    }

    /// <summary>Facts of a model whose weights are all of one type, as <see cref="PreparedWeights"/> would serve them.</summary>
    public static WeightFacts Uniform(ModelConfig config, DType type)
    {
        var facts = new WeightFacts();
        foreach (ExpectedTensor expected in ModelTensors.Expected(config))
            facts.tensors.Add(expected.Name, new HostTensor(0, type, expected.Shape));
        facts.tensors[ModelTensors.PositionTableName] = new HostTensor(0, DType.F32, new Shape(config.TokensPerImage + 1, config.Vision.Width));
        return facts;
    }

    /// <summary>Declares a weight of this name in a graph.</summary>
    internal Tensor Declare(GraphBuilder builder, string name) => tensors.TryGetValue(name, out HostTensor tensor)
        ? builder.Weight(name, tensor.Type, tensor.Shape)
        : throw new ArgumentException($"no weight is called '{name}'", nameof(name));
}
