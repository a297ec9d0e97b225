using XComposer2.Native.Cuda;
using XComposer2.Native.Graph;
using XComposer2.Native.Kernels;

namespace XComposer2.Native.Runtime;

/// <summary>The tile is chosen for the graph's capacity: a bucket is at most twice as large as what runs in it.</summary>
internal sealed class LinearPrefillStep(FusedLinearOp operation, CudaBinder binder) : KernelStep<LinearPrefill>(Choose(operation, binder))
{
    private readonly LinearOperands operands = new(operation, binder);
    private readonly CudaOperand? loraDown = binder.Operand(operation.Lora?.Down);
    private readonly CudaOperand? visualRow = binder.Operand(operation.Lora?.VisualRow);
    private readonly DevicePointer loraUp = operation.Lora is { } lora ? binder.Matrix(lora.B) : default;

    public override void Launch(in CudaRun run)
    {
        int rows = operands.Input.Rows(run);
        if (rows == 0)
            return;
        Launch(run, Twin.Geometry(rows), new LinearPrefillArguments
        {
            Input = operands.Input.Pointer(run),
            Weight = operands.Weight,
            WeightScale = operands.WeightScale,
            Bias = operands.Bias,
            Residual = operands.Residual is { } residual ? residual.Pointer(run) : default,
            Output = operands.Output.Pointer(run),
            LoraDown = loraDown is { } down ? down.Pointer(run) : default,
            LoraUp = loraUp,
            VisualRow = visualRow is { } visual ? visual.Pointer(run) : default,
            RopeTable = operands.RopeTable,
            Pages = operands.Cache.Start,
            PageBytes = operands.Cache.PageBytes,
            Sequences = operands.Sequences.Spans,
            PageTable = operands.Sequences.PageTable,
            Rows = rows,
            SequenceCount = run.Sequences,
        });
    }

    private static LinearPrefill Choose(FusedLinearOp operation, CudaBinder binder)
    {
        LinearForm form = LinearForms.Of(operation, binder);
        int rows = binder.Spec(operation.Input).Shape[0];
        PrefillTile tile = TileChooser.Choose(binder.Device.Capability, binder.Device.MultiprocessorCount, binder.Storage, rows, form.OutFeatures, operation.Lora is not null);
        return new LinearPrefill(form, tile, operation.Lora?.Rank ?? 0);
    }
}
