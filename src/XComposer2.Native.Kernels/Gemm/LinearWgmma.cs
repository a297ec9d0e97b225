using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using XComposer2.Native.Cuda;
using XComposer2.Native.Graph;

namespace XComposer2.Native.Kernels;

/// <summary>A linear for many rows on sm_90: <see cref="LinearPrefill"/> by tensor maps and wgmma, in blocks that stay for several tiles.</summary>
public sealed record LinearWgmma : OperationKernel<FusedLinearOp>
{
    // Flags of row tiles in shared memory.
    private const int MostRowTiles = 128;

    /// <param name="form">Sizes, types and what follows the product: one that <see cref="Has"/> a form here.</param>
    /// <param name="tile">Of <see cref="LinearTiles.Choose"/>.</param>
    /// <param name="loraRank">Of Partial LoRA: a multiple of 8; 0 for none. A gated linear has it for gate and up each.</param>
    /// <exception cref="ArgumentException">There is no form of the kernel for these sizes.</exception>
    public LinearWgmma(LinearForm form, WgmmaTile tile, int loraRank = 0)
    {
        ArgumentNullException.ThrowIfNull(form);
        form.Require();
        if (!Has(form))
            throw new ArgumentException($"expected 16-bit weights and a multiple of 8 rows of them, found {form.Weights} and {form.OutFeatures}", nameof(form));
        if (loraRank < 0 || loraRank % 8 != 0)
            throw new ArgumentOutOfRangeException(nameof(loraRank), loraRank, "a rank is a multiple of 8");
        Form = form;
        Tile = tile;
        LoraRank = loraRank;
    }

    public LinearForm Form { get; }

    public WgmmaTile Tile { get; }

    public int LoraRank { get; }

    /// <summary>Inputs of Partial LoRA's upper half: 0, 1, or 2 for gate and up.</summary>
    public int LoraInputs => LoraRank == 0 ? 0 : Form.Epilogue == LinearEpilogue.Gated ? 2 : 1;

    public override string Source => "gemm/linear_wgmma.cu";

    public override int ArgumentBytes => Unsafe.SizeOf<LinearWgmmaArguments>();

    public override int BlockThreads => WgmmaTile.Threads;

    public override int DynamicSharedBytes => Tile.SharedBytes;

    /// <summary>Whether there is a form of the kernel for a linear.</summary>
    public static bool Has(LinearForm form)
    {
        ArgumentNullException.ThrowIfNull(form);
        return form.Storage != DType.F32 && form.Weights.IsFloat && form.OutFeatures % (form.Epilogue == LinearEpilogue.Plain ? 8 : 16) == 0;
    }

    public override int? BlocksPerMultiprocessor(ComputeCapability capability) => 1;

    /// <summary>sm_90a, whose instructions no other generation has.</summary>
    public override bool Serves(ComputeCapability capability) => capability.Number == 90;

    protected override IEnumerable<(string Name, string Value)> Definitions =>
    [
        .. Form.Definitions(),
        .. Tile.Definitions(LoraInputs, LoraRank),
    ];

    /// <summary>Tiles of a launch.</summary>
    public int CountTiles(int rows)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(rows, 1);
        int rowTiles = (rows + Tile.Rows - 1) / Tile.Rows;
        if (LoraRank > 0 && rowTiles > MostRowTiles)
            throw new ArgumentOutOfRangeException(nameof(rows), rows, $"Partial LoRA has at most {MostRowTiles * Tile.Rows} rows");
        return rowTiles * ((Form.OutFeatures + Tile.Columns - 1) / Tile.Columns);
    }

    /// <summary>A block on every multiprocessor, or on as many as there are tiles.</summary>
    public LaunchGeometry Geometry(int rows, int multiprocessors)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(multiprocessors, 1);
        return new LaunchGeometry(Math.Min(CountTiles(rows), multiprocessors), BlockThreads, DynamicSharedBytes);
    }

    /// <param name="rows">Rows of the step.</param>
    /// <param name="visualRows">Of these, rows with Partial LoRA.</param>
    public KernelCost Cost(int rows, int visualRows) => Form.Cost(rows, Form.Storage.ElementBytes()) + Form.LoraCost(LoraRank, LoraInputs, visualRows);

    /// <summary>The kernel's argument for operands that are where <see cref="LinearPrefill"/>'s would be.</summary>
    /// <param name="context">Of the device.</param>
    /// <param name="operands">Addresses, rows and sequences.</param>
    /// <exception cref="CudaException">The driver refused a tensor map: an address is no multiple of 16, or there is no tensor at it.</exception>
    public LinearWgmmaArguments Arguments(CudaContext context, in LinearPrefillArguments operands) => new(
        new LinearWgmmaMaps
        {
            Input = InputMap(context, operands.Input, operands.Rows),
            Weight = WeightMap(context, operands.Weight, Form.InFeatures),
            LoraDown = LoraRank > 0 ? LoraDownMap(context, operands.LoraDown, operands.Rows) : default,
            LoraUp = LoraRank > 0 ? WeightMap(context, operands.LoraUp, LoraRank) : default,
        },
        operands);

    internal override IEnumerable<KernelCase> Cases(CaseContext context) => LinearPrefillCases.Of(this, context);

    // Maps of weights that stay where they are need be made once. Those of rows have the run's number of them, beyond which nothing may be read, and a panel lies in
    // the arena: they are made anew where that changes.
    protected override KernelLaunch Resolve(FusedLinearOp operation, IKernelOperands operands)
    {
        LinearOperands linear = new(operation, operands);
        KernelOperand? loraDown = operands.Operand(operation.Lora?.Down), visualRow = operands.Operand(operation.Lora?.VisualRow);
        CudaContext context = operands.Context;
        int multiprocessors = operands.Device.Multiprocessors;
        LinearWgmmaMaps maps = default;
        (DevicePointer Input, DevicePointer Weight, DevicePointer Down, DevicePointer Up, int Rows) mapped = default;
        return (kernel, in run) =>
        {
            (DevicePointer Input, DevicePointer Weight, DevicePointer Down, DevicePointer Up, int Rows) now =
                (linear.Input.Pointer(run), linear.Weight(run), loraDown.Pointer(run), linear.LoraUp(run), linear.Input.Rows(run));
            if (now != mapped)
            {
                maps = maps with
                {
                    Weight = now.Weight == mapped.Weight ? maps.Weight : WeightMap(context, now.Weight, Form.InFeatures),
                    Input = InputMap(context, now.Input, now.Rows),
                    LoraDown = LoraRank > 0 ? LoraDownMap(context, now.Down, now.Rows) : default,
                    LoraUp = LoraRank == 0 ? default : now.Up == mapped.Up ? maps.LoraUp : WeightMap(context, now.Up, LoraRank),
                };
                mapped = now;
            }

            kernel.Launch(run.Stream, Geometry(now.Rows, multiprocessors), new LinearWgmmaArguments(maps, new LinearPrefillArguments
            {
                Bias = linear.Bias,
                Residual = linear.Residual.Pointer(run),
                Output = linear.Output.Pointer(run),
                VisualRow = visualRow.Pointer(run),
                RopeTable = linear.RopeTable,
                Pages = linear.Cache.Start,
                PageBytes = linear.Cache.PageBytes,
                Sequences = linear.Sequences.Spans,
                PageTable = linear.Sequences.PageTable,
                Rows = now.Rows,
                SequenceCount = run.Sequences,
            }));
        };
    }

    private TensorMap InputMap(CudaContext context, DevicePointer input, int rows) => WgmmaTile.MapRows(context, Form.Storage, input, Form.InFeatures, rows);

    private TensorMap LoraDownMap(CudaContext context, DevicePointer down, int rows) => WgmmaTile.MapRows(context, Form.Storage, down, LoraRank, LoraInputs, rows);

    private TensorMap WeightMap(CudaContext context, DevicePointer weight, int columns) => Tile.MapWeights(context, Form, weight, columns);
}

/// <summary>Where <see cref="LinearWgmma"/> finds its operands.</summary>
[StructLayout(LayoutKind.Sequential)]
public readonly record struct LinearWgmmaMaps
{
    /// <summary>[rows, in].</summary>
    public TensorMap Input { get; init; }

    /// <summary>[out, in]; gated: [out / 16, 16, in].</summary>
    public TensorMap Weight { get; init; }

    /// <summary>T [rows, inputs, rank].</summary>
    public TensorMap LoraDown { get; init; }

    /// <summary>B, as the weights.</summary>
    public TensorMap LoraUp { get; init; }
}

/// <summary>As <c>gemm/linear_wgmma.cu</c> declares it: a multiple of 64 bytes, as tensor maps are. What the specialisation does not use may stay null.</summary>
[StructLayout(LayoutKind.Sequential, Size = 640)]
public readonly struct LinearWgmmaArguments
{
    private readonly LinearWgmmaMaps maps;
    private readonly DevicePointer bias, residual, output, visualRow, ropeTable, pages, sequences, pageTable;
    private readonly long pageBytes;
    private readonly int rows, sequenceCount;

    /// <param name="maps">Of input, weights and Partial LoRA.</param>
    /// <param name="rest">Everything else; the addresses of what has a map are not used.</param>
    internal LinearWgmmaArguments(in LinearWgmmaMaps maps, in LinearPrefillArguments rest)
    {
        this.maps = maps;
        (bias, residual, output, visualRow) = (rest.Bias, rest.Residual, rest.Output, rest.VisualRow);
        (ropeTable, pages, sequences, pageTable) = (rest.RopeTable, rest.Pages, rest.Sequences, rest.PageTable);
        (pageBytes, rows, sequenceCount) = (rest.PageBytes, rest.Rows, rest.SequenceCount);
    }
}
