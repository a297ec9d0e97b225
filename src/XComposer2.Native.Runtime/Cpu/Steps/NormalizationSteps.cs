using XComposer2.Native.Cpu;
using XComposer2.Native.Graph;

namespace XComposer2.Native.Runtime;

internal sealed unsafe class RmsNormStep(RmsNormOp operation, CpuBinder binder) : CpuStep
{
    private readonly CpuOperand input = binder.Operand(operation.Input);
    private readonly FloatMatrix weight = binder.Matrix(operation.Weight);
    private readonly float epsilon = operation.Epsilon;
    private readonly CpuOperand output = binder.Operand(operation.Output);

    public override void Run(in CpuRun run) =>
        RmsNormKernel.Run(input.Floats(run), weight, epsilon, output.Floats(run), input.Rows(run), input.Columns, run.Pool);
}

internal sealed unsafe class LayerNormStep(LayerNormOp operation, CpuBinder binder) : CpuStep
{
    private readonly CpuOperand input = binder.Operand(operation.Input);
    private readonly FloatMatrix weight = binder.Matrix(operation.Weight);
    private readonly FloatMatrix bias = binder.Matrix(operation.Bias);
    private readonly float epsilon = operation.Epsilon;
    private readonly CpuOperand output = binder.Operand(operation.Output);

    public override void Run(in CpuRun run) =>
        LayerNormKernel.Run(input.Floats(run), weight, bias, epsilon, output.Floats(run), input.Rows(run), input.Columns, run.Pool);
}
