using System.Collections.Immutable;
using System.Globalization;
using XComposer2.Native.Graph;
using XComposer2.Native.Model;
using XComposer2.Native.Runtime;

namespace XComposer2.Native.Training;

/// <summary>What training a model takes of a GPU's memory, by item: known from sizes alone, without weights and without a GPU.</summary>
/// <param name="Model">In words.</param>
/// <param name="Recipe">What is trained.</param>
/// <param name="Context">Positions of a pass.</param>
/// <param name="Fixed">What does not depend on the layers that are recomputed: frozen weights, parameters, inputs, tables.</param>
/// <param name="Choices">Activations with so many layers recomputed, from none to all.</param>
/// <param name="Layers">Layers that can be recomputed.</param>
public sealed record TrainingMemoryPlan(string Model, TrainingRecipe Recipe, int Context, MemoryBudget Fixed, ImmutableArray<TrainingActivations> Choices, int Layers)
{
    // None, a quarter, a half, three quarters, all.
    private const int Parts = 4;

    /// <summary>The choice that recomputes most, and takes least.</summary>
    public TrainingActivations Least => Choices[^1];

    /// <summary>All of it with the least activations.</summary>
    /// <exception cref="OverflowException">The sum exceeds 63 bits.</exception>
    public long LeastBytes => checked(Fixed.TotalBytes + Least.Bytes);

    /// <summary>Trained elements.</summary>
    public long TrainedElements { get; private init; }

    /// <summary>Plans the training of a model with random weights.</summary>
    /// <param name="name">In words.</param>
    /// <param name="config">Sizes.</param>
    /// <param name="recipe">What is trained.</param>
    /// <param name="storage">Of frozen matrices on the device, and what tensor cores multiply: BF16, or F32.</param>
    /// <param name="quantization">Frozen weights of integers.</param>
    /// <param name="context">Positions of a pass; null for the model's.</param>
    /// <exception cref="GraphException">The graph cannot be built or lowered.</exception>
    /// <exception cref="NotSupportedException">The storage is F16.</exception>
    public static TrainingMemoryPlan For(string name, ModelConfig config, TrainingRecipe recipe, DType storage, WeightQuantization quantization = default, int? context = null)
    {
        ArgumentNullException.ThrowIfNull(config);
        ArgumentNullException.ThrowIfNull(recipe);
        ImmutableArray<ParameterSpec> parameters = [.. recipe.Parameters(config, static expected => expected.Shape).Select(static parameter => parameter.Spec)];
        HashSet<string> trained = [.. parameters.Select(parameter => parameter.Name)];
        using var weights = new PlannedWeights(config, storage, quantization, trained);
        WeightFacts facts = WeightFacts.Of(weights, config);
        int tokens = context ?? config.ContextLength, layers = TrainingNetwork.LayersOf(config).Length;
        var counts = new RowCounts(tokens, tokens, Math.Max(1, tokens / config.TokensPerImage));
        ImmutableArray<TrainingActivations> choices = [.. Enumerable.Range(0, Parts + 1).Select(part => part * layers / Parts).Distinct().Select(Choice)];
        ExecutionPlan largest = choices[0].Plan;
        long frozen = FrozenBytes(largest.Graph, trained);
        AttentionGeometry heads = config.Decoder.Attention;
        string what = quantization.Linears is { } format ? $"{format} and {storage}" : $"{storage}";
        var budget = new MemoryBudget(
        [
            new MemoryItem($"frozen weights, {what}", frozen),
            new MemoryItem(
                string.Create(CultureInfo.InvariantCulture, $"{parameters.Length} trained weights with gradients and means, F32"), CudaBackend.ParameterBytes(parameters)),
            new MemoryItem("inputs", largest.Graph.InputBytes()),
            new MemoryItem("rotary table", RopeTable.Bytes(tokens, heads.HeadSize)),
        ]);
        return new TrainingMemoryPlan(name, recipe, tokens, budget, choices, layers) { TrainedElements = parameters.Sum(parameter => parameter.Shape.ElementCount) };

        TrainingActivations Choice(int recomputed)
        {
            TrainingGraph graph = TrainingNetwork.Build(config, facts, counts, new TrainedParts
            {
                IsTrained = trained.Contains, AdapterOf = recipe.Adapter is { } adapter ? adapter.Of : static _ => null, RecomputedLayers = recomputed,
            });
            return new TrainingActivations(recomputed, CudaBackend.PlanFor(graph.Graph, storage));
        }
    }

    /// <summary>The choice that recomputes fewest layers within so many bytes of device memory; null where none fits.</summary>
    public TrainingActivations? Within(long bytes) => Choices.FirstOrDefault(choice => checked(Fixed.TotalBytes + choice.Bytes) <= bytes);

    // In the types that they have on the device; what no operation reads is not uploaded.
    private static long FrozenBytes(ComputeGraph lowered, HashSet<string> trained)
    {
        long bytes = 0;
        foreach (TensorSpec tensor in lowered.Tensors)
            if (tensor.Role == TensorRole.Weight && !trained.Contains(tensor.Name))
                bytes = checked(bytes + tensor.CapacityBytes);
        return bytes;
    }
}

/// <summary>Activations, gradients of activations and scratch of one pass: the arena.</summary>
/// <param name="RecomputedLayers">From the first on.</param>
/// <param name="Plan">On a GPU.</param>
public sealed record TrainingActivations(int RecomputedLayers, ExecutionPlan Plan)
{
    public long Bytes => Plan.ArenaBytes;

    /// <summary>Weights of integers as panels, and pieces of logits: the largest that live together in one step.</summary>
    public long ScratchBytes
    {
        get
        {
            long most = 0;
            foreach (Operation operation in Plan.Graph.Operations)
                most = Math.Max(most, operation.Inputs.Append(operation.Output).Distinct().Where(IsScratch).Sum(tensor => Plan.Graph[tensor].CapacityBytes));
            return most;
        }
    }

    private bool IsScratch(Tensor tensor) => Plan.Graph[tensor] is { Role: TensorRole.Temporary, Rows.Symbol: RowSymbol.Fixed };
}
