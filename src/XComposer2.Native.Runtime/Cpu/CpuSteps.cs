using XComposer2.Native.Cpu;
using XComposer2.Native.Graph;

namespace XComposer2.Native.Runtime;

/// <summary>The one place that knows which kernel runs which operation, and the scratch that it wants.</summary>
internal static class CpuSteps
{
    public static CpuStep Bind(Operation operation, CpuBinder binder, int step) => operation switch
    {
        LinearOp linear when TrainedLinearStep.Takes(linear, binder.HasFreeSums) => new TrainedLinearStep(linear, binder, step),
        LinearOp linear => new LinearStep(linear, binder, step),
        GatedLinearOp gated => new GatedLinearStep(gated, binder, step),
        RmsNormOp norm => new RmsNormStep(norm, binder),
        LayerNormOp norm => new LayerNormStep(norm, binder),
        EmbedTokensOp embed => new EmbedTokensStep(embed, binder),
        SelectRowsOp select => new SelectRowsStep(select, binder),
        RopeKvAppendOp rope => new RopeKvAppendStep(rope, binder),
        PagedAttentionOp attention => new PagedAttentionStep(attention, binder, step),
        PatchEmbeddingOp patches => new PatchEmbeddingStep(patches, binder, step),
        VisionAttentionOp attention => new VisionAttentionStep(attention, binder, step),
        SelectPatchesOp select => new SelectPatchesStep(select, binder),
        _ => TrainingSteps.Bind(operation, binder, step) ?? throw new NotSupportedException($"the processor has no kernel for {operation.Name}"),
    };

    public static long ScratchBytes(ComputeGraph graph, Operation operation, int threads)
    {
        switch (operation)
        {
            case LinearOp linear when TrainedLinearStep.Takes(linear, graph.HasFreeSums):
                return TrainedLinearKernel.ScratchBytes(Rows(linear.Input), Rank(linear.Lora), threads);
            case LinearOp linear:
                TensorSpec weight = graph[linear.Weight.Elements];
                return LinearKernel.ScratchBytes(Rows(linear.Input), weight.Shape[1], weight.Shape[0], Rank(linear.Lora), threads, HasIntegers(linear));
            case GatedLinearOp gated:
                TensorSpec gate = graph[gated.Gate.Elements];
                return GatedLinearKernel.ScratchBytes(Rows(gated.Input), gate.Shape[1], gate.Shape[0], Rank(gated.GateLora), Rank(gated.UpLora), threads, HasIntegers(gated));
            case PagedAttentionOp attention:
                return PagedAttentionKernel.ScratchBytes(attention.Geometry, Math.Min(graph.Capacity.Tokens, StepLimits.MaximumSequences), threads);
            case PatchEmbeddingOp patches:
                return PatchEmbeddingKernel.ScratchBytes(graph[patches.Weight].Shape[3], threads);
            case VisionAttentionOp attention:
                return VisionAttentionKernel.ScratchBytes(graph[attention.Query].Shape[1] / attention.Heads, threads);
            default:
                return TrainingSteps.ScratchBytes(graph, operation, threads);
        }

        int Rows(Tensor tensor) => graph[tensor].Shape[0];

        static bool HasIntegers(Operation operation) => operation.LinearWeights.Any(weight => PackedIntegers.CanPack(weight.Format));

        int Rank(PartialLora? lora) => lora is null ? 0 : graph[lora.A.Elements].Shape[0];
    }
}

/// <summary>One operation, bound to its kernel and operands.</summary>
internal abstract class CpuStep
{
    public abstract void Run(in CpuRun run);
}

/// <summary>What the steps of one run have in common.</summary>
internal readonly unsafe struct CpuRun(byte* arena, RowCounts counts, SequenceSpan* spans, int spanCount, WorkerPool pool)
{
    public readonly byte* Arena = arena;
    public readonly RowCounts Counts = counts;
    public readonly SequenceSpan* Spans = spans;
    public readonly int SpanCount = spanCount;
    public readonly WorkerPool Pool = pool;
}
