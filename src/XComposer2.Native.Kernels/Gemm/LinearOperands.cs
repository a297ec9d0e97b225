using XComposer2.Native.Cuda;
using XComposer2.Native.Graph;

namespace XComposer2.Native.Kernels;

/// <summary>What both kernels of a lowered linear read and write.</summary>
internal sealed class LinearOperands(FusedLinearOp operation, IKernelOperands operands)
{
    private readonly DeviceMatrix weight = operands.Matrix(operation.Weight, operation.Format);

    public KernelOperand Input { get; } = operands.Operand(operation.Input);

    public DevicePointer Weight => weight.Elements;

    /// <summary>Null where the weights have no scales.</summary>
    public DevicePointer WeightScale => weight.Scales;

    public DevicePointer Bias { get; } = operation.Bias is { } bias ? operands.Matrix(new PlainWeight(bias), operation.Storage) : default;

    public KernelOperand? Residual { get; } = operands.Operand(operation.Residual);

    public KernelOperand Output { get; } = operands.Operand(operation.Output);

    public DevicePointer RopeTable { get; } = operation.Rope is { } rope ? operands.Rope(rope.Geometry, rope.Theta) : default;

    public KernelCacheLayer Cache { get; } = operation.Rope is { } rope ? operands.Layer(rope.Layer, rope.Geometry) : default;

    public KernelSequences Sequences { get; } = operands.Sequences;
}
