using System.Collections.Immutable;

namespace XComposer2.Native.Graph;

/// <summary>A graph with its gradients: the forward pass in a form that can be differentiated, then the backward pass, planned and run as one graph.</summary>
/// <param name="Graph">Both passes.</param>
/// <param name="Output">What is differentiated: the graph's own result, or the loss of each row [logits, 1].</param>
/// <param name="OutputGradient">Input: a factor for each element of <paramref name="Output"/>. The gradients are those of the sum of all products.</param>
/// <param name="Targets">Input: the right token of each row [logits] I32; null where there is no token loss.</param>
/// <param name="Trained">Names of the weights that have a gradient, in the order of the graph.</param>
public sealed record TrainingGraph(ComputeGraph Graph, Tensor Output, Tensor OutputGradient, Tensor? Targets, ImmutableArray<string> Trained)
{
    /// <summary>Input: the first row of each row's sequence [tokens] I32; null where nothing attends causally. Several samples stand one behind the other.</summary>
    public Tensor? Starts { get; private init; }

    /// <summary>Input: decides what is dropped [1] I32; null where nothing is.</summary>
    public Tensor? DropoutSeed { get; private init; }

    /// <summary>Outputs: the gradients of <see cref="TrainingGraphOptions.InputGradients"/>, by the names of the inputs.</summary>
    public IReadOnlyDictionary<string, Tensor> InputGradients { get; private init; } = ImmutableDictionary<string, Tensor>.Empty;

    /// <summary>Name of the input <see cref="OutputGradient"/>.</summary>
    public const string OutputGradientName = "output_gradient";

    /// <summary>Name of the input <see cref="Targets"/>.</summary>
    public const string TargetsName = "targets";

    /// <summary>Name of the input that decides what is dropped; there where an adapter has dropout.</summary>
    public const string DropoutSeedName = "dropout_seed";

    /// <summary>Name of the input <see cref="Starts"/>.</summary>
    public const string StartsName = "sequence_starts";

    /// <summary>Name of the output <see cref="Output"/> where it is a token loss.</summary>
    public const string LossName = "token_loss";

    /// <summary>Name of the gradient of a weight, a tensor of role <see cref="TensorRole.Gradient"/>.</summary>
    public static string GradientName(string weight) => weight + ".gradient";

    /// <summary>Differentiates a graph.</summary>
    /// <param name="source">As it answers questions: fused operations and cached attention are written anew. It holds sequences from their first tokens on.</param>
    /// <param name="options">What is trained.</param>
    /// <exception cref="GraphException">A trained weight is not F32, nothing is trained, or an operation has no gradient.</exception>
    public static TrainingGraph Build(ComputeGraph source, TrainingGraphOptions options)
    {
        ArgumentNullException.ThrowIfNull(source);
        ArgumentNullException.ThrowIfNull(options);
        var builder = new GraphBuilder(source.Name + " training", source.Capacity) { HasFreeSums = true };
        var forward = new DifferentiableForm(source, builder, options);
        Tensor output = forward.Write();
        TensorSpec spec = builder[output];
        Tensor seed = builder.Input(OutputGradientName, DType.F32, spec.Rows, spec.Shape.AsSpan()[1..]);
        IReadOnlyDictionary<string, Tensor> inputs = new Backpropagation(builder, options).Write(output, seed);
        ComputeGraph graph = builder.Build();
        ImmutableArray<string> trained =
            [.. graph.Tensors.Where(tensor => tensor.Role == TensorRole.Gradient).Select(tensor => tensor.Name[..^GradientName("").Length])];
        return new TrainingGraph(graph, output, seed, forward.Targets, trained) { InputGradients = inputs, DropoutSeed = forward.Seed, Starts = forward.Starts };
    }
}

/// <summary>What of a graph is trained, and what of it is kept for the backward pass.</summary>
public sealed record TrainingGraphOptions
{
    /// <summary>Name of the tensor whose gradients are wanted.</summary>
    public required string Output { get; init; }

    /// <summary><see cref="Output"/> is made by a linear, whose result is not wanted: only how unlikely it makes the right tokens.</summary>
    public bool HasTokenLoss { get; init; }

    /// <summary>Whether a weight of this name has a gradient. All others are frozen.</summary>
    public required Func<string, bool> IsTrained { get; init; }

    /// <summary>The low-rank addition to a linear's weight of this name, for all rows; null for none.</summary>
    public Func<string, LowRankAdapter?> AdapterOf { get; init; } = static _ => null;

    /// <summary>Names of F32 inputs whose gradients are outputs.</summary>
    public ImmutableArray<string> InputGradients { get; init; } = [];

    /// <summary>The layers of the graph, for <see cref="RecomputedLayers"/>.</summary>
    public ImmutableArray<GraphLayer> Layers { get; init; } = [];

    /// <summary>So many of <see cref="Layers"/>, from the first on, keep nothing but what they are given: the backward pass computes the rest again.</summary>
    public int RecomputedLayers { get; init; }
}

/// <summary>A part of a graph between two of its tensors.</summary>
/// <param name="Input">Name of what the first of its operations reads.</param>
/// <param name="Output">Name of what the last of its operations writes.</param>
public sealed record GraphLayer(string Input, string Output);

/// <summary>A trained low-rank addition to a linear, for all rows: y += scale * (x Aᵀ) Bᵀ.</summary>
/// <param name="A">Name of A [rank, in] F32.</param>
/// <param name="B">Name of B [out, rank] F32.</param>
/// <param name="Rank">Rank.</param>
/// <param name="Scale">alpha / rank.</param>
/// <param name="Dropout">Share of the elements of x that are dropped before A, 0 to 1.</param>
public sealed record LowRankAdapter(string A, string B, int Rank, float Scale, float Dropout = 0);
