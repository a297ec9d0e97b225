using XComposer2.Native.Cuda;
using XComposer2.Native.Kernels;

namespace XComposer2.Native.Runtime;

internal sealed class LinearDecodeStep(FusedLinearOp operation, CudaBinder binder)
    : KernelStep<LinearDecode>(new LinearDecode(LinearForms.Of(operation, binder), operation.Norm is not null))
{
    private readonly LinearOperands operands = new(operation, binder);
    private readonly DevicePointer gain = operation.Norm is { } norm ? binder.Matrix(new PlainWeight(norm.Gain)) : default;
    private readonly float epsilon = operation.Norm?.Epsilon ?? 0;

    public override void Launch(in CudaRun run)
    {
        int rows = operands.Input.Rows(run);
        if (rows == 0)
            return;
        Launch(run, Twin.Geometry(), new LinearDecodeArguments
        {
            Input = operands.Input.Pointer(run),
            Gain = gain,
            Weight = operands.Weight,
            WeightScale = operands.WeightScale,
            Bias = operands.Bias,
            Residual = operands.Residual is { } residual ? residual.Pointer(run) : default,
            Output = operands.Output.Pointer(run),
            RopeTable = operands.RopeTable,
            Pages = operands.Cache.Start,
            PageBytes = operands.Cache.PageBytes,
            Sequences = operands.Sequences.Spans,
            PageTable = operands.Sequences.PageTable,
            Rows = rows,
            SequenceCount = run.Sequences,
            Epsilon = epsilon,
        });
    }
}
