using XComposer2.Native.Graph;
using XComposer2.Native.Kernels;
using XComposer2.Native.Model;

namespace XComposer2.Native.Planning;

/// <summary>The launches of one step of a model, each kind once.</summary>
/// <param name="Name">For people.</param>
/// <param name="Launches">A launch, and how often the step has it.</param>
internal sealed record StepLaunches(string Name, IReadOnlyList<(KernelCase Case, int Count)> Launches)
{
    /// <summary>Products are most of the step: their rate is worth telling.</summary>
    public bool HasRate { get; init; }
}

/// <summary>The steps whose time matters, as launches that can be predicted: a generated token, a prompt with a picture, and the picture.</summary>
internal static class PredictedSteps
{
    private const int Context = 1300;

    // As the published script trains adapters.
    private const int AdapterRank = 64;
    private const float AdapterDropout = 0.05f;
    private const string AdapterSuffix = ".adapter";

    // A picture of 490 pixels and 75 tokens of text.
    private static readonly PrefillStep prompt = new(Context, 1225);

    /// <param name="config">The model.</param>
    /// <param name="storage">Type of weights and activations.</param>
    /// <param name="device">Where.</param>
    public static IReadOnlyList<StepLaunches> Of(ModelConfig config, DType storage, DeviceFacts device)
    {
        ArgumentNullException.ThrowIfNull(config);
        RowCounts token = new(1, 1, 0), step = new(prompt.Rows, 1, 0), picture = new(0, 0, 1);
        string rows = FormattableString.Invariant($"a prompt of {prompt.Rows} rows, {prompt.VisualRows} of them visual");
        List<StepLaunches> steps =
        [
            Token(storage.ToString(), WeightQuantization.None),
            Token("int8", WeightQuantization.Int8),
            Token("int4", WeightQuantization.Int4),
            Prompt(storage, hasHalfSums: false),
        ];
        if (HalfSums.Has(device.Capability))
            steps.Add(Prompt(DType.F16, hasHalfSums: true));
        steps.Add(LaunchesOf($"a picture, {storage}", Graphs(storage, WeightQuantization.None).Vision, picture, Kernels(storage, WeightQuantization.None), storage, device, isLong: true));
        // The kernels of training want tensor cores that take BF16.
        if (storage == DType.BF16 && device.Capability.Number >= 80)
            steps.Add(LoraStep(config, storage, device));
        return steps;

        StepLaunches Token(string weights, WeightQuantization quantization) => LaunchesOf(
            $"a token, {weights}", Graphs(storage, quantization).DecodeFor(1), token, Kernels(storage, quantization), storage, device, isLong: false);

        StepLaunches Prompt(DType type, bool hasHalfSums) => LaunchesOf(
            $"{rows}, {type}{(hasHalfSums ? ", f16 sums" : "")}", Graphs(type, WeightQuantization.None).PrefillFor(prompt.Rows), step, Kernels(type, WeightQuantization.None), type,
            device, isLong: true, hasHalfSums);

        ModelGraphs Graphs(DType type, WeightQuantization quantization) => new(config, WeightFacts.Uniform(config, type, quantization), config.Decoder.MaximumPositions);

        IReadOnlyList<KernelDefinition> Kernels(DType type, WeightQuantization quantization) => ModelCatalog.KernelsOf(config, type, device.Capability, quantization);
    }

    // A conversation about a picture forwards and backwards, and the optimiser's step. Nothing is recomputed.
    private static StepLaunches LoraStep(ModelConfig config, DType storage, DeviceFacts device)
    {
        TrainedParts parts = new() { IsTrained = static name => name.EndsWith(AdapterSuffix, StringComparison.Ordinal), AdapterOf = AdapterOf };
        TrainingGraph training = TrainingNetwork.Build(config, WeightFacts.Uniform(config, storage), new RowCounts(prompt.Rows, prompt.Rows - prompt.VisualRows, 1), parts);
        ComputeGraph lowered = TrainingLowering.Lower(training.Graph, storage);
        long elements = training.Trained.Sum(name => lowered[lowered.Find(name)].Shape.ElementCount);
        return new StepLaunches(
            FormattableString.Invariant($"a LoRA step of rank {AdapterRank} over {prompt.Rows} tokens, {storage}"),
            [.. TrainingLaunches.Of(lowered, device), .. TrainingLaunches.OfOptimiser(elements).Select(launch => (launch, 1))]) { HasRate = true };

        static LowRankAdapter? AdapterOf(string weight) => ModelTensors.KindOf(weight) is TensorKind.Attention or TensorKind.FeedForward
            ? new LowRankAdapter(weight + ".a" + AdapterSuffix, weight + ".b" + AdapterSuffix, AdapterRank, 1, AdapterDropout) : null;
    }

    private static StepLaunches LaunchesOf(
        string name, ModelGraph graph, RowCounts counts, IReadOnlyList<KernelDefinition> kernels, DType storage, DeviceFacts device, bool isLong,
        bool hasHalfSums = false)
    {
        ComputeGraph lowered = CudaLowering.Lower(graph.Build(), storage, hasHalfSums: hasHalfSums);
        CaseSizes sizes = new() { DecodeRows = [1], PrefillSteps = [prompt], Contexts = [Context], ReadBytes = 1 << 20, MmaSteps = 1 };
        ILookup<KernelDefinition, KernelCase> cases = CaseCatalog.For(kernels, device, sizes).ToLookup(item => item.Definition);
        List<(KernelCase Case, int Count)> launches = [];
        foreach (IGrouping<OperationKernel, Operation> kernel in lowered.Operations.GroupBy(operation => KernelChoice.Choose(operation, lowered, counts.Resolve(lowered[operation.Output].Rows), device)))
        {
            // Kernels that move rows have a case for one row and one for the prompt.
            KernelCase found = (isLong ? cases[kernel.Key].MaxBy(item => item.Cost.Bytes) : cases[kernel.Key].MinBy(item => item.Cost.Bytes))
                ?? throw new InvalidOperationException($"no case of the bench has the kernel of {kernel.First().Name}: {kernel.Key}");
            launches.Add((found, kernel.Count()));
        }

        // Every step of the decoder ends with the choice of a token.
        if (counts.Tokens > 0)
            launches.Add((cases.SelectMany(group => group).First(item => item.Definition is SampleToken), 1));
        return new StepLaunches(name, launches);
    }
}
