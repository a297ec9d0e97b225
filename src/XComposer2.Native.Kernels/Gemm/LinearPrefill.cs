using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using XComposer2.Native.Cuda;
using XComposer2.Native.Graph;

namespace XComposer2.Native.Kernels;

/// <summary>A linear for many rows, on tensor cores, with Partial LoRA on visual rows in the same sums.</summary>
public sealed record LinearPrefill : OperationKernel<FusedLinearOp>
{
    /// <param name="form">Sizes, types and what follows the product.</param>
    /// <param name="tile">Of <see cref="LinearTiles.Choose"/>.</param>
    /// <param name="loraRank">Of Partial LoRA: a multiple of 8; 0 for none. A gated linear has it for gate and up each.</param>
    /// <exception cref="ArgumentException">There is no form of the kernel for these sizes.</exception>
    public LinearPrefill(LinearForm form, PrefillTile tile, int loraRank = 0)
    {
        ArgumentNullException.ThrowIfNull(form);
        form.Require();
        if (loraRank < 0 || loraRank % 8 != 0)
            throw new ArgumentOutOfRangeException(nameof(loraRank), loraRank, "a rank is a multiple of 8");
        if (form.Storage == DType.F32 != (tile == PrefillTile.Plain))
            throw new ArgumentException($"{form.Storage} has no tile {tile}", nameof(tile));
        Form = form;
        Tile = tile;
        LoraRank = loraRank;
    }

    public LinearForm Form { get; }

    public PrefillTile Tile { get; }

    public int LoraRank { get; }

    /// <summary>Inputs of Partial LoRA's upper half: 0, 1, or 2 for gate and up.</summary>
    public int LoraInputs => LoraRank == 0 ? 0 : Form.Epilogue == LinearEpilogue.Gated ? 2 : 1;

    public override string Source => "gemm/linear_prefill.cu";

    public override int ArgumentBytes => Unsafe.SizeOf<LinearPrefillArguments>();

    public override int BlockThreads => Tile.Threads;

    public override int DynamicSharedBytes => Tile.SharedBytes(Form.Storage, Form.Weights, LoraInputs);

    public override int? BlocksPerMultiprocessor(ComputeCapability capability) => Tile.BlocksPerMultiprocessor;

    public override bool Serves(ComputeCapability capability) =>
        base.Serves(capability) && (capability.Number >= 80 || (Form.Storage != DType.BF16 && Tile.Stages == 2));

    protected override IEnumerable<(string Name, string Value)> Definitions =>
    [
        .. Form.Definitions(),
        .. Tile.Definitions(),
        ("PAIRED_ROWS", Flag(Form.Epilogue != LinearEpilogue.Plain)),
        ("LORA_INPUTS", Number(LoraInputs)),
        ("RANK", Number(LoraRank)),
        ("DYNAMIC_SHARED_BYTES", Number(DynamicSharedBytes)),
    ];

    /// <summary>Row tiles go first, so that blocks that run together share the weights.</summary>
    public LaunchGeometry Geometry(int rows)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(rows, 1);
        return new LaunchGeometry(
            new Dim3((rows + Tile.Rows - 1) / Tile.Rows, (Form.OutFeatures + Tile.Columns - 1) / Tile.Columns), BlockThreads, DynamicSharedBytes);
    }

    /// <param name="rows">Rows of the step.</param>
    /// <param name="visualRows">Of these, rows with Partial LoRA.</param>
    public KernelCost Cost(int rows, int visualRows) => Form.Cost(rows, Form.Storage.ElementBytes()) + Form.LoraCost(LoraRank, LoraInputs, visualRows);

    internal override IEnumerable<KernelCase> Cases(CaseContext context) => LinearPrefillCases.Of(this, context);

    protected override KernelLaunch Resolve(FusedLinearOp operation, IKernelOperands operands)
    {
        LinearOperands linear = new(operation, operands);
        KernelOperand? loraDown = operands.Operand(operation.Lora?.Down), visualRow = operands.Operand(operation.Lora?.VisualRow);
        return (kernel, in run) =>
        {
            int rows = linear.Input.Rows(run);
            kernel.Launch(run.Stream, Geometry(rows), new LinearPrefillArguments
            {
                Input = linear.Input.Pointer(run),
                Weight = linear.Weight(run),
                WeightScale = linear.WeightScale,
                Bias = linear.Bias,
                Residual = linear.Residual.Pointer(run),
                Output = linear.Output.Pointer(run),
                LoraDown = loraDown.Pointer(run),
                LoraUp = linear.LoraUp(run),
                VisualRow = visualRow.Pointer(run),
                RopeTable = linear.RopeTable,
                Pages = linear.Cache.Start,
                PageBytes = linear.Cache.PageBytes,
                Sequences = linear.Sequences.Spans,
                PageTable = linear.Sequences.PageTable,
                Rows = rows,
                SequenceCount = run.Sequences,
            });
        };
    }
}

/// <summary>As <c>gemm/linear_prefill.cu</c> declares it. What the specialisation does not use may stay null. Matrices are aligned to 16 bytes.</summary>
[StructLayout(LayoutKind.Sequential)]
public readonly record struct LinearPrefillArguments
{
    /// <summary>[rows, in].</summary>
    public DevicePointer Input { get; init; }

    /// <summary>[out, in].</summary>
    public DevicePointer Weight { get; init; }

    /// <summary>Scales of the weights' rows, F32 [out]; null where the format has none.</summary>
    public DevicePointer WeightScale { get; init; }

    /// <summary>[out].</summary>
    public DevicePointer Bias { get; init; }

    /// <summary>F32 [rows, out]; may be the output.</summary>
    public DevicePointer Residual { get; init; }

    /// <summary>[rows, <see cref="LinearForm.OutputColumns"/>].</summary>
    public DevicePointer Output { get; init; }

    /// <summary>T of <see cref="LoraDown"/>: [rows, inputs x rank].</summary>
    public DevicePointer LoraDown { get; init; }

    /// <summary>B [out, rank], rows in the order of the weights.</summary>
    public DevicePointer LoraUp { get; init; }

    /// <summary>I32 [rows], negative for text.</summary>
    public DevicePointer VisualRow { get; init; }

    /// <summary>F32 [positions, head size / 2, 2]: cosine and sine.</summary>
    public DevicePointer RopeTable { get; init; }

    /// <summary>Page 0 of this layer's part of the cache.</summary>
    public DevicePointer Pages { get; init; }

    /// <summary>[<see cref="SequenceCount"/>] of <c>common/sequence_span.cuh</c>.</summary>
    public DevicePointer Sequences { get; init; }

    /// <summary>I32: physical pages.</summary>
    public DevicePointer PageTable { get; init; }

    public long PageBytes { get; init; }

    public int Rows { get; init; }

    public int SequenceCount { get; init; }
}
