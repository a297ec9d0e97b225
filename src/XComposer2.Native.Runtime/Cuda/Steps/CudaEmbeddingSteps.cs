using XComposer2.Native.Cuda;
using XComposer2.Native.Graph;
using XComposer2.Native.Kernels;

namespace XComposer2.Native.Runtime;

internal sealed class CudaEmbedTokensStep(EmbedTokensOp operation, CudaBinder binder)
    : KernelStep<EmbedTokens>(new EmbedTokens(binder.Storage, binder.Spec(operation.Table).Shape[1]))
{
    private readonly CudaOperand ids = binder.Operand(operation.Ids);
    private readonly DevicePointer table = binder.EmbeddingTable(operation.Table);
    private readonly int vocabulary = binder.Spec(operation.Table).Shape[0];
    private readonly CudaOperand? visual = binder.Operand(operation.Visual);
    private readonly CudaOperand? visualRow = binder.Operand(operation.VisualRow);
    private readonly CudaOperand output = binder.Operand(operation.Output);

    public override void Launch(in CudaRun run)
    {
        int tokens = ids.Rows(run);
        if (tokens == 0)
            return;
        Launch(run, Twin.Geometry(tokens), new EmbedTokensArguments(
            ids.Pointer(run),
            table,
            visual is { } rows ? rows.Pointer(run) : default,
            visualRow is { } index ? index.Pointer(run) : default,
            output.Pointer(run),
            (uint)tokens,
            (uint)vocabulary,
            (uint)(visual?.Rows(run) ?? 0)));
    }
}

internal sealed class CudaPatchEmbeddingStep(PatchEmbeddingOp operation, CudaBinder binder)
    : KernelStep<PatchEmbedding>(new PatchEmbedding(
        binder.Storage, binder.Spec(operation.Pixels).Shape[3], binder.Spec(operation.Weight).Shape[3], binder.Spec(operation.Weight).Shape[0]))
{
    private readonly CudaOperand pixels = binder.Operand(operation.Pixels);
    private readonly DevicePointer weight = binder.Weight(operation.Weight);
    private readonly DevicePointer classToken = binder.FloatWeight(operation.ClassToken);
    private readonly DevicePointer positions = binder.FloatWeight(operation.Positions);
    private readonly CudaOperand output = binder.Operand(operation.Output);

    public override void Launch(in CudaRun run)
    {
        int images = pixels.Rows(run);
        if (images > 0)
            Launch(run, Twin.Geometry(images), new PatchEmbeddingArguments(pixels.Pointer(run), weight, classToken, positions, output.Pointer(run), (uint)images));
    }
}

internal sealed class CudaSelectPatchesStep(SelectPatchesOp operation, CudaBinder binder)
    : KernelStep<SelectPatches>(new SelectPatches(binder.StorageOf(operation.Output), binder.Spec(operation.Input).Shape[1]))
{
    private readonly CudaOperand input = binder.Operand(operation.Input);
    private readonly CudaOperand output = binder.Operand(operation.Output);
    private readonly int patches = operation.TokensPerImage - 1;

    public override void Launch(in CudaRun run)
    {
        int rows = output.Rows(run);
        if (rows > 0)
            Launch(run, Twin.Geometry(rows), new SelectPatchesArguments(input.Pointer(run), output.Pointer(run), (uint)patches, (uint)rows));
    }
}

internal sealed class CudaSelectRowsStep(SelectRowsOp operation, CudaBinder binder)
    : KernelStep<SelectRows>(new SelectRows(binder.StorageOf(operation.Output), binder.Spec(operation.Input).Shape[1]))
{
    private readonly CudaOperand input = binder.Operand(operation.Input);
    private readonly CudaOperand rows = binder.Operand(operation.Rows);
    private readonly CudaOperand output = binder.Operand(operation.Output);

    public override void Launch(in CudaRun run)
    {
        int count = rows.Rows(run);
        if (count > 0)
            Launch(run, Twin.Geometry(count), new SelectRowsArguments(input.Pointer(run), rows.Pointer(run), output.Pointer(run), (uint)input.Rows(run), (uint)count));
    }
}
