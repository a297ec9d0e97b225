using XComposer2.Native.Cpu;
using XComposer2.Native.Graph;

namespace XComposer2.Native.Runtime;

/// <summary>Kernels and scratch of the operations that only training graphs have, forward and backward.</summary>
internal static class TrainingSteps
{
    /// <returns>Null for an operation of another kind.</returns>
    public static CpuStep? Bind(Operation operation, CpuBinder binder, int step) => operation switch
    {
        ActivationOp or SiluProductOp or AddOp or ActivationGradientOp or SiluProductGradientOp => new PointwiseStep(operation, binder),
        DropoutOp dropout => new DropoutStep(dropout, binder),
        RotaryOp rotary => new RotaryStep(rotary, binder),
        CausalAttentionOp attention => new CausalAttentionStep(attention, binder, step),
        CausalAttentionGradientOp attention => new CausalAttentionGradientStep(attention, binder, step),
        VisionAttentionGradientOp attention => new VisionAttentionGradientStep(attention, binder, step),
        TokenLossOp or TokenScoresOp or TokenLossGradientOp => new TokenLossStep(operation, binder, step),
        LinearInputGradientOp linear => new LinearInputGradientStep(linear, binder, step),
        LinearWeightGradientOp linear => new LinearWeightGradientStep(linear, binder, step),
        RowSumGradientOp sum => new RowSumStep(sum, binder),
        NormInputGradientOp norm => new NormInputGradientStep(norm, binder),
        NormWeightGradientOp norm => new NormWeightGradientStep(norm, binder, step),
        ScatterRowsOp scatter => new ScatterRowsStep(scatter, binder),
        SliceColumnsOp slice => new SliceColumnsStep(slice, binder),
        SelectPatchesGradientOp select => new SelectPatchesGradientStep(select, binder),
        PatchWeightGradientOp patches => new PatchWeightGradientStep(patches, binder, step),
        _ => null,
    };

    public static long ScratchBytes(ComputeGraph graph, Operation operation, int threads)
    {
        return operation switch
        {
            CausalAttentionOp attention => CausalAttentionKernel.ScratchBytes(Rows(attention.Packed), attention.Geometry.HeadSize, threads),
            CausalAttentionGradientOp attention => AttentionGradientKernel.CausalScratchBytes(Rows(attention.Packed), attention.Geometry.HeadSize, threads),
            VisionAttentionGradientOp attention => AttentionGradientKernel.VisionScratchBytes(attention.TokensPerImage, graph[attention.Query].Shape[1] / attention.Heads, threads),
            TokenLossOp loss => Loss(loss.Input, loss.Head),
            TokenScoresOp scores => Loss(scores.Input, scores.Head),
            TokenLossGradientOp loss => Loss(loss.Input, loss.Head),
            LinearInputGradientOp linear => LinearInputGradientKernel.ScratchBytes(Rows(linear.Gradient), threads),
            LinearWeightGradientOp linear => LinearWeightGradientKernel.ScratchBytes(Rows(linear.Gradient), threads),
            NormWeightGradientOp norm => NormGradientKernels.WeightScratchBytes(Rows(norm.Input)),
            PatchWeightGradientOp patches => PatchWeightGradientKernel.ScratchBytes(graph[patches.Pixels].Shape[3], graph[patches.Output].Shape[3], threads),
            _ => 0,
        };

        int Rows(Tensor tensor) => graph[tensor].Shape[0];

        long Loss(Tensor input, LinearWeight head) => TokenLossKernel.ScratchBytes(Rows(input), graph[input].Shape[1], Rows(head.Elements), threads);
    }
}

internal sealed unsafe class PointwiseStep(Operation operation, CpuBinder binder) : CpuStep
{
    private readonly CpuOperand[] inputs = [.. operation.Inputs.Select(binder.Operand)];
    private readonly CpuOperand output = binder.Operand(operation.Output);

    public override void Run(in CpuRun run)
    {
        long count = (long)output.Rows(run) * output.Columns;
        float* first = inputs[0].Floats(run), second = inputs.Length > 1 ? inputs[1].Floats(run) : null, third = inputs.Length > 2 ? inputs[2].Floats(run) : null;
        float* result = output.Floats(run);
        switch (operation)
        {
            case ActivationOp op: PointwiseKernels.Activate(first, op.Activation, result, count, run.Pool); break;
            case SiluProductOp: PointwiseKernels.SiluProduct(first, second, result, count, run.Pool); break;
            case AddOp { Left: null } op: PointwiseKernels.Add(null, first, op.Scale, result, count, run.Pool); break;
            case AddOp op: PointwiseKernels.Add(first, second, op.Scale, result, count, run.Pool); break;
            case ActivationGradientOp op: PointwiseKernels.ActivationGradient(first, second, op.Activation, result, count, run.Pool); break;
            default: PointwiseKernels.SiluProductGradient(first, second, third, result, count, run.Pool); break;
        }
    }
}

internal sealed unsafe class DropoutStep(DropoutOp operation, CpuBinder binder) : CpuStep
{
    private readonly CpuOperand input = binder.Operand(operation.Input);
    private readonly CpuOperand seed = binder.Operand(operation.Seed);
    private readonly CpuOperand output = binder.Operand(operation.Output);

    public override void Run(in CpuRun run) => DropoutKernel.Run(
        input.Floats(run), seed.Integers(run)[0], operation.Stream, operation.Rate, output.Floats(run), (long)output.Rows(run) * output.Columns, run.Pool);
}

internal sealed unsafe class RotaryStep(RotaryOp operation, CpuBinder binder) : CpuStep
{
    private readonly CpuOperand packed = binder.Operand(operation.Packed);
    private readonly CpuOperand starts = binder.Operand(operation.Starts);
    private readonly RopeTable table = binder.Rope(operation.Geometry, operation.RopeTheta, binder.ShapeOf(operation.Packed)[0]);
    private readonly CpuOperand output = binder.Operand(operation.Output);

    public override void Run(in CpuRun run) =>
        RotaryKernel.Run(packed.Floats(run), starts.Integers(run), packed.Rows(run), operation.Geometry, table, operation.Inverse, output.Floats(run), run.Pool);
}

internal sealed unsafe class CausalAttentionStep(CausalAttentionOp operation, CpuBinder binder, int step) : CpuStep
{
    private readonly CpuOperand packed = binder.Operand(operation.Packed);
    private readonly CpuOperand starts = binder.Operand(operation.Starts);
    private readonly CpuOperand output = binder.Operand(operation.Output);
    private readonly CpuScratch scratch = binder.Scratch(step);

    public override void Run(in CpuRun run) =>
        CausalAttentionKernel.Run(packed.Floats(run), starts.Integers(run), packed.Rows(run), operation.Geometry, output.Floats(run), scratch.Address(run), scratch.Bytes, run.Pool);
}

internal sealed unsafe class CausalAttentionGradientStep(CausalAttentionGradientOp operation, CpuBinder binder, int step) : CpuStep
{
    private readonly CpuOperand gradient = binder.Operand(operation.Gradient);
    private readonly CpuOperand packed = binder.Operand(operation.Packed);
    private readonly CpuOperand starts = binder.Operand(operation.Starts);
    private readonly CpuOperand output = binder.Operand(operation.Output);
    private readonly CpuScratch scratch = binder.Scratch(step);

    public override void Run(in CpuRun run) => AttentionGradientKernel.Causal(
        gradient.Floats(run), packed.Floats(run), starts.Integers(run), packed.Rows(run), operation.Geometry, output.Floats(run), scratch.Address(run), scratch.Bytes, run.Pool);
}

internal sealed unsafe class VisionAttentionGradientStep(VisionAttentionGradientOp operation, CpuBinder binder, int step) : CpuStep
{
    private readonly CpuOperand gradient = binder.Operand(operation.Gradient);
    private readonly CpuOperand query = binder.Operand(operation.Query);
    private readonly CpuOperand key = binder.Operand(operation.Key);
    private readonly CpuOperand value = binder.Operand(operation.Value);
    private readonly CpuOperand output = binder.Operand(operation.Output);
    private readonly CpuScratch scratch = binder.Scratch(step);

    public override void Run(in CpuRun run) => AttentionGradientKernel.Vision(
        gradient.Floats(run), query.Floats(run), key.Floats(run), value.Floats(run), query.Rows(run) / operation.TokensPerImage, operation.TokensPerImage,
        operation.Heads, query.Columns / operation.Heads, output.Floats(run), scratch.Address(run), scratch.Bytes, run.Pool);
}

internal sealed unsafe class TokenLossStep : CpuStep
{
    private readonly Operation operation;
    private readonly CpuOperand input;
    private readonly WeightMatrix head;
    private readonly CpuOperand targets;
    private readonly CpuOperand? factors;
    private readonly CpuOperand output;
    private readonly CpuScratch scratch;

    public TokenLossStep(Operation operation, CpuBinder binder, int step)
    {
        this.operation = operation;
        (Tensor x, LinearWeight weight, Tensor ids, Tensor? gradient) = operation switch
        {
            TokenLossGradientOp op => (op.Input, op.Head, op.Targets, (Tensor?)op.Gradient),
            TokenLossOp op => (op.Input, op.Head, op.Targets, null),
            TokenScoresOp op => (op.Input, op.Head, op.Targets, null),
            _ => throw new ArgumentException("not a token loss", nameof(operation)),
        };
        input = binder.Operand(x);
        head = binder.Matrix(weight);
        targets = binder.Operand(ids);
        factors = binder.Operand(gradient);
        output = binder.Operand(operation.Output);
        scratch = binder.Scratch(step);
    }

    public override void Run(in CpuRun run)
    {
        var operands = new TokenLossOperands
        {
            Input = input.Floats(run), Rows = input.Rows(run), Head = head, Targets = targets.Integers(run), Scratch = scratch.Address(run), ScratchBytes = scratch.Bytes,
        };
        if (operation is TokenScoresOp)
            TokenLossKernel.Scores(operands, output.Floats(run), run.Pool);
        else if (operation is not TokenLossGradientOp gradient)
            TokenLossKernel.Losses(operands, output.Floats(run), run.Pool);
        else if (gradient.ByHead)
            TokenLossKernel.HeadGradient(operands, factors!.Value.Floats(run), output.Floats(run), run.Pool);
        else
            TokenLossKernel.InputGradient(operands, factors!.Value.Floats(run), output.Floats(run), run.Pool);
    }
}
