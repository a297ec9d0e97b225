using XComposer2.Native.Cuda;
using XComposer2.Native.Graph;
using XComposer2.Native.Kernels;
using WeightFormat = XComposer2.Native.Kernels.WeightFormat;

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

/// <summary>A lowered linear in the kernels' words.</summary>
internal static class LinearForms
{
    public static LinearForm Of(FusedLinearOp operation, CudaBinder binder)
    {
        (int rows, int columns) = binder.SizeOf(operation.Weight);
        return new LinearForm
        {
            Storage = binder.Storage,
            Weights = operation.WeightScale is null ? WeightFormat.Storage : WeightFormat.Int8,
            InFeatures = columns,
            OutFeatures = rows,
            Finish = operation.Epilogue switch
            {
                LinearEpilogue.Gated => LinearFinish.Gated,
                LinearEpilogue.RopeKvAppend => LinearFinish.RopeKvAppend,
                _ => LinearFinish.Plain,
            },
            Activation = operation.Activation,
            HasBias = operation.Bias is not null,
            HasResidual = operation.Residual is not null,
            StoresFloat = operation.Epilogue == LinearEpilogue.Plain && binder.Spec(operation.Output).Type == DType.F32,
            Heads = operation.Rope?.Geometry ?? default,
        };
    }
}

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

internal sealed class LoraDownStep(LoraDownOp operation, CudaBinder binder) : KernelStep<LoraDown>(Choose(operation, binder))
{
    private readonly CudaOperand input = binder.Operand(operation.Input);
    private readonly DevicePointer a = binder.Matrix(operation.A);
    private readonly CudaOperand visualRow = binder.Operand(operation.VisualRow);
    private readonly CudaOperand output = binder.Operand(operation.Output);
    private readonly float scale = operation.Scale;

    public override void Launch(in CudaRun run)
    {
        int rows = input.Rows(run);
        if (rows > 0)
            Launch(run, Twin.Geometry(rows), new LoraDownArguments(input.Pointer(run), a, visualRow.Pointer(run), output.Pointer(run), scale, rows));
    }

    private static LoraDown Choose(LoraDownOp operation, CudaBinder binder)
    {
        (int rows, int columns) = binder.SizeOf(operation.A);
        return new LoraDown(binder.Storage, columns, rows, TileChooser.ChooseForLora(binder.Device.Capability, binder.Storage));
    }
}
