using XComposer2.Native.Cuda;
using XComposer2.Native.Graph;
using XComposer2.Native.Kernels;

namespace XComposer2.Native.Runtime;

/// <summary>The one place that knows which kernel runs which operation of a lowered graph.</summary>
internal static class CudaSteps
{
    public static CudaStep Bind(Operation operation, CudaBinder binder) => operation switch
    {
        FusedLinearOp linear when IsForFewRows(linear, binder) => new LinearDecodeStep(linear, binder),
        FusedLinearOp linear => new LinearPrefillStep(linear, binder),
        LoraDownOp down => new LoraDownStep(down, binder),
        PagedAttentionOp attention when binder.IsDecode => new DecodeAttentionStep(attention, binder),
        PagedAttentionOp attention => new PrefillAttentionStep(attention, binder),
        VisionAttentionOp attention => new CudaVisionAttentionStep(attention, binder),
        RmsNormOp norm => new CudaRmsNormStep(norm, binder),
        LayerNormOp norm => new CudaLayerNormStep(norm, binder),
        EmbedTokensOp embed => new CudaEmbedTokensStep(embed, binder),
        SelectRowsOp select => new CudaSelectRowsStep(select, binder),
        SelectPatchesOp select => new CudaSelectPatchesStep(select, binder),
        PatchEmbeddingOp patches => new CudaPatchEmbeddingStep(patches, binder),
        _ => throw new NotSupportedException($"the GPU has no kernel for {operation.Name}"),
    };

    /// <summary>Rows of a prompt's graph, its head's, that are so few that streaming the weights is best.</summary>
    private const int FewRows = 8;

    /// <summary>Whether a linear runs in the kernel that reads the weights once: generated tokens always, so that they do not depend on how many there are.</summary>
    internal static bool IsForFewRows(FusedLinearOp linear, CudaBinder binder) =>
        linear.Lora is null && (binder.IsDecode || binder.Spec(linear.Input).Shape[0] <= FewRows);
}

/// <summary>One operation, bound to its kernel and operands.</summary>
internal abstract class CudaStep
{
    /// <summary>What has to be compiled.</summary>
    public abstract IReadOnlyList<KernelDefinition> Definitions { get; }

    /// <summary>Takes the loaded kernel; called once, before the first launch.</summary>
    public abstract void Attach(KernelLoader loader);

    public abstract void Launch(in CudaRun run);
}

/// <summary>A step of one kernel.</summary>
internal abstract class KernelStep<TDefinition>(TDefinition definition) : CudaStep
    where TDefinition : KernelDefinition
{
    private CudaKernel? kernel;

    public sealed override IReadOnlyList<KernelDefinition> Definitions => [definition];

    protected TDefinition Twin => definition;

    public sealed override void Attach(KernelLoader loader)
    {
        ArgumentNullException.ThrowIfNull(loader);
        kernel = loader.Get(definition);
    }

    protected void Launch<TArguments>(in CudaRun run, in LaunchGeometry geometry, in TArguments arguments)
        where TArguments : unmanaged =>
        kernel!.Launch(run.Stream, geometry, arguments);
}

/// <summary>What the steps of one run have in common.</summary>
internal readonly struct CudaRun(CudaStream stream, DevicePointer arena, RowCounts counts, int sequences, int longestRows)
{
    public readonly CudaStream Stream = stream;
    public readonly DevicePointer Arena = arena;
    public readonly RowCounts Counts = counts;

    /// <summary>Sequences of the step.</summary>
    public readonly int Sequences = sequences;

    /// <summary>Rows of the sequence that has most in this step.</summary>
    public readonly int LongestRows = longestRows;
}
