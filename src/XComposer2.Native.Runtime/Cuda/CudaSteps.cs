using XComposer2.Native.Graph;

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

    /// <summary>Whether a linear runs in the kernel that reads the weights once, however many rows its graph is made for.</summary>
    internal static bool IsForFewRows(FusedLinearOp linear, CudaBinder binder) =>
        linear.Lora is null && binder.Spec(linear.Input).Shape[0] <= CudaLowering.DecodeRows;
}
