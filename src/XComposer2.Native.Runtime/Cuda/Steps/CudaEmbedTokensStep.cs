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
