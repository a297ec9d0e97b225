using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using XComposer2.Native.Cuda;
using XComposer2.Native.Graph;

namespace XComposer2.Native.Kernels;

/// <summary>The lower half of Partial LoRA on sm_90: <see cref="LoraDown"/> by tensor maps and wgmma.</summary>
public sealed record LoraDownWgmma : OperationKernel<LoraDownOp>
{
    /// <param name="storage">Type of input, A and output: 16 bits.</param>
    /// <param name="inFeatures">Columns of A: a multiple of 8.</param>
    /// <param name="outFeatures">Rows of A: the rank, or twice the rank for gate and up; a multiple of 8.</param>
    /// <param name="tile">Of <see cref="LinearTiles.ChooseForLora"/>.</param>
    public LoraDownWgmma(DType storage, int inFeatures, int outFeatures, WgmmaTile tile)
    {
        // Checks the sizes.
        Form = new LinearForm { Storage = storage, InFeatures = inFeatures, OutFeatures = outFeatures };
        Form.Require();
        if (!LinearWgmma.Has(Form))
            throw new ArgumentException($"expected 16-bit weights and a multiple of 8 rows of them, found {storage} and {outFeatures}", nameof(outFeatures));
        Tile = tile;
    }

    public LinearForm Form { get; }

    public WgmmaTile Tile { get; }

    public override string Source => "gemm/lora_down_wgmma.cu";

    public override int ArgumentBytes => Unsafe.SizeOf<LoraDownWgmmaArguments>();

    public override int BlockThreads => WgmmaTile.Threads;

    public override int DynamicSharedBytes => Tile.SharedBytes;

    public override int? BlocksPerMultiprocessor(ComputeCapability capability) => 1;

    public override bool Serves(ComputeCapability capability) => capability.Number == 90;

    protected override IEnumerable<(string Name, string Value)> Definitions => [.. Form.Definitions(), .. Tile.Definitions(loraInputs: 0, loraRank: 0)];

    /// <summary>How K is cut for so many rows.</summary>
    public SplitSums Split(int rows)
    {
        Dim3 tiles = TilesOf(rows);
        return new SplitSums(tiles.X * tiles.Y, (long)Tile.Rows * Tile.Columns * sizeof(float), (Form.InFeatures + WgmmaTile.Depth - 1) / WgmmaTile.Depth, 1);
    }

    /// <param name="rows">Of the step.</param>
    /// <param name="parts">Of K.</param>
    public LaunchGeometry Geometry(int rows, int parts = 1) => new(TilesOf(rows) with { Z = parts }, BlockThreads, DynamicSharedBytes);

    /// <inheritdoc cref="LoraDown.Cost"/>
    public KernelCost Cost(int rows, int visualRows) => new LoraDown(Form.Storage, Form.InFeatures, Form.OutFeatures, PrefillTile.S1).Cost(rows, visualRows);

    /// <summary>The kernel's argument for operands that are where <see cref="LoraDown"/>'s would be.</summary>
    /// <inheritdoc cref="LinearWgmma.Arguments"/>
    public LoraDownWgmmaArguments Arguments(CudaContext context, in LoraDownArguments operands) => new(
        WgmmaTile.MapRows(context, Form.Storage, operands.Input, Form.InFeatures, operands.Rows), Tile.MapWeights(context, Form, operands.A, Form.InFeatures), operands);

    internal override IEnumerable<KernelCase> Cases(CaseContext context) => LinearPrefillCases.Of(this, context);

    protected override KernelLaunch Resolve(LoraDownOp operation, IKernelOperands operands)
    {
        LoraDownOperands down = new(operation, operands, Form.Storage);
        CudaContext context = operands.Context;
        TensorMap a = default, input = default;
        (DevicePointer Input, DevicePointer A, int Rows) mapped = default;
        return (kernel, in run) =>
        {
            (DevicePointer Input, DevicePointer A, int Rows) now = (down.Input.Pointer(run), down.A(run), down.Input.Rows(run));
            if (now != mapped)
            {
                input = WgmmaTile.MapRows(context, Form.Storage, now.Input, Form.InFeatures, now.Rows);
                a = now.A == mapped.A ? a : Tile.MapWeights(context, Form, now.A, Form.InFeatures);
                mapped = now;
            }

            int parts = Split(now.Rows).Parts(down.Multiprocessors);
            kernel.Launch(run.Stream, Geometry(now.Rows, parts), new LoraDownWgmmaArguments(input, a, new LoraDownArguments(
                now.Input, now.A, down.VisualRow.Pointer(run), down.Output.Pointer(run), down.Parts.Pointer(run), down.Arrivals, down.Scale, now.Rows)));
        };
    }

    private Dim3 TilesOf(int rows)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(rows, 1);
        return new Dim3((rows + Tile.Rows - 1) / Tile.Rows, (Form.OutFeatures + Tile.Columns - 1) / Tile.Columns);
    }
}

/// <summary>As <c>gemm/lora_down_wgmma.cu</c> declares it: a multiple of 64 bytes, as tensor maps are.</summary>
[StructLayout(LayoutKind.Sequential, Size = 320)]
public readonly struct LoraDownWgmmaArguments
{
    private readonly TensorMap input, a;
    private readonly DevicePointer visualRow, output, parts, arrivals;
    private readonly float scale;
    private readonly int rows;

    /// <param name="input">[rows, in].</param>
    /// <param name="a">[out, in].</param>
    /// <param name="rest">Everything else; the addresses of what has a map are not used.</param>
    internal LoraDownWgmmaArguments(in TensorMap input, in TensorMap a, in LoraDownArguments rest)
    {
        (this.input, this.a) = (input, a);
        (visualRow, output, parts, arrivals) = (rest.VisualRow, rest.Output, rest.Parts, rest.Arrivals);
        (scale, rows) = (rest.Scale, rest.Rows);
    }
}
