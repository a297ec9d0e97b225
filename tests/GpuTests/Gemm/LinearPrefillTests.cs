using XComposer2.Native.Graph;
using XComposer2.Native.Kernels;
using Xunit;

namespace XComposer2.Native.GpuTests;

public sealed class LinearPrefillTests(GpuDevice device)
{
    private static readonly int[] Rows = [1, 7, 31, 65, 129];

    private static readonly Func<int, bool>[] Masks =
    [
        _ => false, _ => true, row => row is >= 3 and < 40, row => row % 3 == 1, row => row >= 64, row => row == 0,
    ];

    public static TheoryData<string, DType> AllTiles => Tiles.All();

    public static TheoryData<string, DType> SomeTiles => Tiles.Some();

    /// <summary>One column more than a tile has, a last slice that is not whole, any number of rows.</summary>
    [Theory]
    [MemberData(nameof(AllTiles))]
    public void A_product_is_right_beyond_the_tile(string name, DType storage)
    {
        PrefillTile tile = Tiles.Of(name, storage);
        foreach (int rows in Rows)
            PrefillRun.Check(device, new LinearCase(Form(storage, 200, tile.Columns + 1), rows), tile);
    }

    [Theory]
    [MemberData(nameof(SomeTiles))]
    public void Bias_and_activations_come_before_rounding(string name, DType storage)
    {
        PrefillTile tile = Tiles.Of(name, storage);
        foreach (Activation activation in Enum.GetValues<Activation>())
            PrefillRun.Check(device, new LinearCase(Form(storage, 128, 132) with { HasBias = true, Activation = activation }, 65), tile);
    }

    [Theory]
    [MemberData(nameof(SomeTiles))]
    public void The_residual_stream_stays_in_f32(string name, DType storage)
    {
        PrefillTile tile = Tiles.Of(name, storage);
        LinearForm form = Form(storage, 256, 256) with { HasResidual = true, StoresFloat = true };
        PrefillRun.Check(device, new LinearCase(form, 31), tile);
        PrefillRun.Check(device, new LinearCase(form with { HasBias = true, OutFeatures = 67 }, 65), tile);
    }

    [Theory]
    [MemberData(nameof(AllTiles))]
    public void Gate_and_up_meet(string name, DType storage)
    {
        PrefillTile tile = Tiles.Of(name, storage);
        LinearForm form = Form(storage, 96, tile.Columns + 16) with { Epilogue = LinearEpilogue.Gated };
        foreach (int rows in Rows)
            PrefillRun.Check(device, new LinearCase(form, rows), tile);
    }

    [Theory]
    [MemberData(nameof(AllTiles))]
    public void Partial_lora_reaches_visual_rows_only(string name, DType storage)
    {
        PrefillTile tile = Tiles.Of(name, storage);
        foreach (int rank in new[] { 8, 72 })
            foreach (Func<int, bool> mask in Masks)
                PrefillRun.Check(device, new LinearCase(Form(storage, 128, 144), 129, rank, mask), tile);
    }

    [Theory]
    [MemberData(nameof(AllTiles))]
    public void Gate_and_up_have_a_partial_lora_each(string name, DType storage)
    {
        PrefillTile tile = Tiles.Of(name, storage);
        LinearForm form = Form(storage, 128, 288) with { Epilogue = LinearEpilogue.Gated };
        foreach (int rank in new[] { 8, 72 })
            foreach (Func<int, bool> mask in Masks)
                PrefillRun.Check(device, new LinearCase(form, 70, rank, mask), tile);
    }

    /// <summary>One slice of K, less than the pipeline is deep.</summary>
    [Theory]
    [MemberData(nameof(SomeTiles))]
    public void A_short_k_is_enough(string name, DType storage)
    {
        PrefillTile tile = Tiles.Of(name, storage);
        PrefillRun.Check(device, new LinearCase(Form(storage, 8, 64), 9), tile);
        PrefillRun.Check(device, new LinearCase(Form(storage, 64, 64), 9, 16, row => row > 4), tile);
        PrefillRun.Check(device, new LinearCase(Form(storage, 32, 64) with { Epilogue = LinearEpilogue.Gated }, 9, 16, row => row > 4), tile);
    }

    [Theory]
    [MemberData(nameof(SomeTiles))]
    public void A_block_of_text_does_not_read_partial_lora(string name, DType storage)
    {
        PrefillTile tile = Tiles.Of(name, storage);
        LinearCase one = new(Form(storage, 128, 64), 33, 16, _ => false);
        Array.Fill(one.LoraDown, float.NaN);
        Array.Fill(one.LoraUp, float.NaN);
        PrefillRun.Check(device, one, tile);
    }

    [Theory]
    [MemberData(nameof(AllTiles))]
    public void Int8_weights_are_exact_and_partial_lora_is_not_scaled(string name, DType storage)
    {
        PrefillTile tile = Tiles.Of(name, storage);
        LinearForm form = Form(storage, 208, 152) with { Weights = WeightFormat.Int8 };
        PrefillRun.Check(device, new LinearCase(form, 65), tile);
        PrefillRun.Check(device, new LinearCase(form with { HasResidual = true, StoresFloat = true, HasBias = true }, 65, 24, row => row is > 5 and < 50), tile);
        PrefillRun.Check(device, new LinearCase(form with { OutFeatures = 160, Epilogue = LinearEpilogue.Gated }, 65, 24, row => row % 5 != 2), tile);
    }

    /// <summary>Sums of 32 products in F16, two thirds of which are beyond a slice's half; also those that Partial LoRA goes on with, and gate's and up's apart from it.</summary>
    [Theory]
    [InlineData("G1")]
    [InlineData("S1")]
    public void Short_sums_in_half_are_within_their_bound(string name)
    {
        PrefillTile tile = Tiles.Of(name, DType.F16) with { IsDoubleBuffered = false, HasHalfSums = true };
        PrefillRun.Check(device, new LinearCase(Form(DType.F16, 200, tile.Columns + 1) with { HasHalfSums = true }, 65), tile);
        PrefillRun.Check(device, new LinearCase(Form(DType.F16, 4096, 64) with { HasHalfSums = true, HasResidual = true, StoresFloat = true }, 65, 72, row => row is >= 3 and < 40), tile);
        PrefillRun.Check(device, new LinearCase(Form(DType.F16, 128, 288) with { HasHalfSums = true, Epilogue = LinearEpilogue.Gated }, 70, 72, row => row % 3 == 1), tile);
    }

    /// <summary>It is no clipping: an answer with such a sum ends with an error.</summary>
    [Fact]
    public void A_short_sum_beyond_half_is_infinite()
    {
        const int Columns = 64;
        PrefillTile tile = PrefillTile.G1 with { HasHalfSums = true };
        // The second row's sums of 32 have a deviation of 40,000.
        LinearCase one = new(Form(DType.F16, Columns, Columns) with { HasHalfSums = true, HasResidual = true, StoresFloat = true }, 3);
        Array.Fill(one.Input, 60_000f, Columns, 32);
        float[] found = PrefillRun.Outputs(device, one, tile);
        Assert.Contains(float.PositiveInfinity, found[Columns..(2 * Columns)]);
        Assert.Contains(float.NegativeInfinity, found[Columns..(2 * Columns)]);
        Assert.All([.. found[..Columns], .. found[(2 * Columns)..]], value => Assert.True(float.IsFinite(value)));
    }

    /// <summary>A slice of the 7B's down projection, whose sums are the longest.</summary>
    [Theory]
    [InlineData("A2", DType.BF16, 14336, 64)]
    [InlineData("S1", DType.F16, 4096, 256)]
    public void Real_sizes_are_right(string name, DType storage, int inputs, int rank)
    {
        PrefillTile tile = Tiles.Of(name, storage);
        LinearForm form = Form(storage, inputs, 64) with { HasResidual = true, StoresFloat = true };
        PrefillRun.Check(device, new LinearCase(form, 70, rank, row => row < 60), tile);
    }

    private static LinearForm Form(DType storage, int inputs, int outputs) => new() { Storage = storage, InFeatures = inputs, OutFeatures = outputs };
}
