using XComposer2.Native.Cuda;
using XComposer2.Native.Graph;

namespace XComposer2.Native.Runtime;

/// <summary>What both kernels of a lowered linear read and write.</summary>
internal sealed class LinearOperands(FusedLinearOp operation, CudaBinder binder)
{
    private readonly (DevicePointer Rows, DevicePointer Scales) weight = operation.WeightScale is { } scale
        ? binder.Int8Matrix(operation.Weight, scale)
        : (binder.Matrix(operation.Weight), default);

    public CudaOperand Input { get; } = binder.Operand(operation.Input);

    public DevicePointer Weight => weight.Rows;

    /// <summary>Null where the weights are of the storage type.</summary>
    public DevicePointer WeightScale => weight.Scales;

    public DevicePointer Bias { get; } = operation.Bias is { } bias ? binder.Matrix(new PlainWeight(bias)) : default;

    public CudaOperand? Residual { get; } = binder.Operand(operation.Residual);

    public CudaOperand Output { get; } = binder.Operand(operation.Output);

    public DevicePointer RopeTable { get; } = operation.Rope is { } rope ? binder.Rope(rope.Geometry, rope.Theta) : default;

    public CudaCacheLayer Cache { get; } = operation.Rope is { } rope ? binder.Layer(rope.Layer, rope.Geometry) : default;

    public CudaSequences Sequences { get; } = binder.Sequences;
}
