using XComposer2.Native.Cuda;
using XComposer2.Native.Graph;

namespace XComposer2.Native.Kernels;

/// <summary>What both kernels of a lowered linear read and write.</summary>
internal sealed class LinearOperands(FusedLinearOp operation, IKernelOperands operands)
{
    private readonly DeviceMatrix weight = operation.Panel is null ? operands.Matrix(operation.Weight, operation.Format) : default;
    private readonly KernelOperand? panel = operands.Operand(operation.Panel), loraPanel = operands.Operand(operation.Lora?.Panel);
    private readonly DevicePointer loraUp = operation.Lora is { Panel: null } lora ? operands.Matrix(lora.B, operation.Storage) : default;

    public KernelOperand Input { get; } = operands.Operand(operation.Input);

    /// <summary>The weight is made by an operation before this one.</summary>
    public bool IsPanel => panel is not null;

    /// <summary>Null where the weights have no scales.</summary>
    public DevicePointer WeightScale => weight.Scales;

    /// <summary>Null where the weights have no zero points.</summary>
    public DevicePointer WeightZero => weight.ZeroPoints;

    /// <summary>Null where columns are in the model's order.</summary>
    public DevicePointer ColumnOrder => weight.ColumnOrder;

    public DevicePointer Bias { get; } = operation.Bias is { } bias ? operands.Matrix(bias, operation.Storage) : default;

    public KernelOperand? Residual { get; } = operands.Operand(operation.Residual);

    public KernelOperand Output { get; } = operands.Operand(operation.Output);

    public DevicePointer RopeTable { get; } = operation.Rope is { } rope ? operands.Rope(rope.Geometry, rope.Theta) : default;

    public KernelCacheLayer Cache { get; } = operation.Rope is { } rope ? operands.Layer(rope.Layer, rope.Geometry) : default;

    public KernelSequences Sequences { get; } = operands.Sequences;

    /// <summary>B of Partial LoRA, or its panel of this run; null where there is none.</summary>
    public DevicePointer LoraUp(in KernelRun run) => loraPanel is { } made ? made.Pointer(run) : loraUp;

    /// <summary>The weight's elements, or the panel of this run.</summary>
    public DevicePointer Weight(in KernelRun run) => panel is { } made ? made.Pointer(run) : weight.Elements;
}
