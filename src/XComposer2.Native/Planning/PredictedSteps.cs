using XComposer2.Native.Graph;
using XComposer2.Native.Kernels;
using XComposer2.Native.Model;

namespace XComposer2.Native.Planning;

/// <summary>The launches of one step of a model, each kind once.</summary>
/// <param name="Name">For people.</param>
/// <param name="Launches">A launch, and how often the step has it.</param>
internal sealed record StepLaunches(string Name, IReadOnlyList<(KernelCase Case, int Count)> Launches);

/// <summary>The steps whose time matters, as launches that can be predicted: a generated token, a prompt with a picture, and the picture.</summary>
internal static class PredictedSteps
{
    private const int Context = 1300;

    // A picture of 490 pixels and 75 tokens of text.
    private static readonly PrefillStep prompt = new(Context, 1225);

    /// <param name="config">The model.</param>
    /// <param name="storage">Type of weights and activations.</param>
    /// <param name="device">Where.</param>
    public static IReadOnlyList<StepLaunches> Of(ModelConfig config, DType storage, DeviceFacts device)
    {
        ArgumentNullException.ThrowIfNull(config);
        ModelGraphs stored = Graphs(config, storage, WeightQuantization.None), quantized = Graphs(config, storage, WeightQuantization.Int8);
        RowCounts token = new(1, 1, 0), step = new(prompt.Rows, 1, 0), picture = new(0, 0, 1);
        return
        [
            Step($"a token, {storage}", stored.DecodeFor(1), token, storage, device, config, isLong: false),
            Step("a token, int8", quantized.DecodeFor(1), token, storage, device, config, isLong: false),
            Step($"a prompt of {prompt.Rows} rows, {prompt.VisualRows} of them visual, {storage}", stored.PrefillFor(prompt.Rows), step, storage, device, config, isLong: true),
            Step($"a picture, {storage}", stored.Vision, picture, storage, device, config, isLong: true),
        ];
    }

    private static ModelGraphs Graphs(ModelConfig config, DType storage, WeightQuantization quantization) =>
        new(config, WeightFacts.Uniform(config, storage, quantization), config.Decoder.MaximumPositions);

    private static StepLaunches Step(string name, ModelGraph graph, RowCounts counts, DType storage, DeviceFacts device, ModelConfig config, bool isLong)
    {
        ComputeGraph lowered = CudaLowering.Lower(graph.Build(), storage);
        CaseSizes sizes = new() { DecodeRows = [1], PrefillSteps = [prompt], Contexts = [Context], ReadBytes = 1 << 20, MmaSteps = 1 };
        ILookup<KernelDefinition, KernelCase> cases = CaseCatalog.For(ModelCatalog.KernelsOf(config, storage, device.Capability), device, sizes).ToLookup(item => item.Definition);
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
