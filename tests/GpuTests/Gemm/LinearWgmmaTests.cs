using XComposer2.Native.Graph;
using XComposer2.Native.Kernels;
using Xunit;

namespace XComposer2.Native.GpuTests;

/// <summary>Linears by tensor maps and wgmma, where the device is of that generation; <see cref="HopperTests"/> runs them on an emulated one.</summary>
public sealed class LinearWgmmaTests
{
    private const int AllBlocks = 132;

    private static readonly Func<int, bool>[] masks = [_ => false, _ => true, row => row is >= 3 and < 40, row => row >= 128];

    private readonly GpuDevice device;

    public LinearWgmmaTests(GpuDevice device)
    {
        this.device = device;
        if (device.Capability.Number != 90)
            Assert.Skip($"this device has compute capability {device.Capability}, not 9.0; {nameof(HopperTests)} runs the test on an emulated one that has");
    }

    /// <summary>A last slice that is not whole, columns of one block more than a tile, any number of rows; blocks of one tile, and one that has all of them.</summary>
    [Fact]
    public void A_product_is_right_beyond_the_tile()
    {
        foreach ((WgmmaTile tile, DType storage) in new[] { (WgmmaTile.W128, DType.BF16), (WgmmaTile.W176, DType.F16) })
            foreach (int rows in new[] { 1, 65, 129, 300 })
                Check(new LinearCase(Form(storage, 200, tile.Columns + 8), rows), tile, rows == 300 ? 1 : AllBlocks);
    }

    /// <summary>One slice; one less than there are stages, as many, one more; then the ring goes on with the next tile.</summary>
    [Theory]
    [InlineData(8)]
    [InlineData(320)]
    [InlineData(384)]
    [InlineData(448)]
    public void Slices_go_round_the_stages(int inputs)
    {
        WgmmaTile tile = WgmmaTile.W128;
        Assert.Equal(384, tile.Stages * WgmmaTile.Depth);
        Check(new LinearCase(Form(DType.BF16, inputs, 256), 200), tile, 1);
        Check(new LinearCase(Form(DType.BF16, inputs, 256), 200), tile, 3);
    }

    [Theory]
    [InlineData(Activation.QuickGelu, DType.BF16, 80)]
    [InlineData(Activation.Gelu, DType.F16, 176)]
    public void Bias_and_activations_come_before_rounding(Activation activation, DType storage, int columns)
    {
        WgmmaTile tile = columns == 80 ? WgmmaTile.W80 : WgmmaTile.W176;
        Check(new LinearCase(Form(storage, 128, columns + 24) with { HasBias = true, Activation = activation }, 133), tile, AllBlocks);
    }

    /// <summary>With a bias and Partial LoRA on some rows, on none, on a tile alone; T of a text row does not matter where the whole tile is text.</summary>
    [Fact]
    public void Partial_lora_reaches_visual_rows_only_and_the_residual_stream_stays_in_f32()
    {
        LinearForm form = Form(DType.BF16, 256, 248) with { HasBias = true, HasResidual = true, StoresFloat = true };
        foreach (Func<int, bool> mask in masks)
            Check(new LinearCase(form, 133, 72, mask), WgmmaTile.W176, mask(128) ? 1 : AllBlocks);
        LinearCase text = new(form, 133, 72, row => row >= 128);
        int columns = text.LoraInputs * text.Rank;
        Array.Fill(text.LoraDown, float.NaN, 0, 128 * columns);
        Check(text, WgmmaTile.W176, 2);
    }

    [Theory]
    [InlineData(240, DType.BF16, 8)]
    [InlineData(240, DType.F16, 0)]
    [InlineData(256, DType.BF16, 72)]
    public void Gate_and_up_meet_and_have_a_partial_lora_each(int columns, DType storage, int rank)
    {
        WgmmaTile tile = columns == 240 ? WgmmaTile.W240 : WgmmaTile.W256;
        LinearForm form = Form(storage, 96, columns + 16) with { Epilogue = LinearEpilogue.Gated };
        foreach (Func<int, bool> mask in masks[..(rank == 0 ? 1 : masks.Length)])
            Check(new LinearCase(form, 130, rank, mask), tile, mask(0) ? 1 : AllBlocks);
    }

    [Theory]
    [InlineData(256, DType.BF16, 64, 24)]
    [InlineData(176, DType.F16, 128, 0)]
    public void Queries_and_keys_are_rotated_and_appended(int columns, DType storage, int headSize, int rank)
    {
        AttentionGeometry heads = headSize == 64 ? new(4, 2, 64) : new(2, 1, 128);
        LinearForm form = new()
        {
            Storage = storage, InFeatures = 96, OutFeatures = heads.PackedColumns, Epilogue = LinearEpilogue.RopeKvAppend, Heads = heads, HasBias = rank > 0,
        };
        LinearCase one = new(form, 70, rank, row => row % 3 != 1);
        LinearWgmma kernel = new(form, columns == 256 ? WgmmaTile.W256 : WgmmaTile.W176, rank);
        EmulatedConditions.ForEach(device, _ => PrefillRun.CheckRope(device, one, arguments =>
            device.Run(kernel, kernel.Geometry(one.Rows, 2), kernel.Arguments(device.Context, arguments))));
    }

    /// <summary>A tile of the 7B's down projection, whose sums are the longest.</summary>
    [Fact]
    public void Real_sizes_are_right()
    {
        LinearForm form = Form(DType.BF16, 14336, 176) with { HasResidual = true, StoresFloat = true };
        Check(new LinearCase(form, 70, 256, row => row < 60), WgmmaTile.W176, AllBlocks);
    }

    private void Check(LinearCase one, WgmmaTile tile, int blocks) => PrefillRun.Check(device, one, tile, blocks);

    private static LinearForm Form(DType storage, int inputs, int outputs) => new() { Storage = storage, InFeatures = inputs, OutFeatures = outputs };
}
