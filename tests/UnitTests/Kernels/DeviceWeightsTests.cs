using XComposer2.Native.Cuda;
using XComposer2.Native.Graph;
using XComposer2.Native.Kernels;
using Xunit;

namespace XComposer2.Native.UnitTests;

public sealed class DeviceWeightsTests
{
    [Fact]
    public void A_format_without_kernels_is_refused_while_a_graph_is_lowered()
    {
        Assert.Equal("graph 'small', weight 'w': the GPU has no kernel for weights of int8 by 32", Refused(WeightFormat.Grouped(8, 32), WeightFormat.BF16, 64));
        Assert.Equal("weight 'w': expected I4 rows of a multiple of 64 elements on a GPU, found I4 [32, 96]", Refused(WeightFormat.Grouped(4, 32), WeightFormat.BF16, 96));
        Assert.Equal("weight 'a': expected I8 rows of a multiple of 16 elements on a GPU, found I8 [8, 72]", Refused(WeightFormat.BF16, WeightFormat.Int8, 72));
        Assert.Equal("weight 'w': expected I8 rows of a multiple of 16 elements on a GPU, found I8 [32, 72]", Refused(WeightFormat.Int8, WeightFormat.BF16, 72));
        Assert.Throws<NotSupportedException>(() => DeviceWeights.Of(WeightFormat.Grouped(4, 48)));

        static string Refused(WeightFormat weight, WeightFormat lora, int columns) =>
            Assert.Throws<GraphException>(() => CudaLowering.Lower(Linear(weight, lora, columns), DType.BF16)).Message;
    }

    [Theory]
    [InlineData(DType.F16)]
    [InlineData(DType.BF16)]
    public void A_lowered_linear_has_the_storage_type_or_its_integers(DType storage)
    {
        Assert.Equal(WeightFormat.Of(storage), Lowered(WeightFormat.F32).Format);
        Assert.Equal(WeightFormat.Int8, Lowered(WeightFormat.Int8).Format);

        FusedLinearOp Lowered(WeightFormat format) =>
            Assert.Single(CudaLowering.Lower(Linear(format, WeightFormat.F16, 64), storage).Operations.OfType<FusedLinearOp>());
    }

    /// <summary>Many rows multiply a panel, which is made for them; generated tokens read the integers.</summary>
    [Fact]
    public void A_prompt_reads_weights_in_groups_from_a_panel()
    {
        ComputeGraph lowered = CudaLowering.Lower(Linear(WeightFormat.Grouped(4, 32), WeightFormat.F16, 64), DType.F16);
        DequantizeOp panel = Assert.Single(lowered.Operations.OfType<DequantizeOp>());
        FusedLinearOp linear = Assert.Single(lowered.Operations.OfType<FusedLinearOp>());
        Assert.Equal((WeightFormat.Grouped(4, 32), new Shape(32, 64)), (panel.Format, lowered[panel.Output].Shape));
        Assert.Equal((WeightFormat.F16, panel.Output), (linear.Format, linear.Panel));
        Assert.IsType<Dequantize>(KernelChoice.Choose(panel, lowered, 32, new DeviceFacts(new ComputeCapability(8, 0), 108)));
    }

    [Fact]
    public void Partial_lora_of_integers_is_multiplied_as_a_panel_and_a_table_of_integers_keeps_its_type()
    {
        ComputeGraph lowered = CudaLowering.Lower(Linear(WeightFormat.BF16, WeightFormat.Int8, 64), DType.BF16);
        DequantizeOp panel = Assert.Single(lowered.Operations.OfType<DequantizeOp>());
        LoraDownOp down = Assert.Single(lowered.Operations.OfType<LoraDownOp>());
        Assert.Equal((panel.Output, new PlainWeight("a"), DType.BF16), (down.Panel!.Value, down.A, lowered[panel.Output].Type));
        Assert.Null(Assert.Single(lowered.Operations.OfType<FusedLinearOp>()).Lora!.Panel);

        var builder = new GraphBuilder("table", new RowCounts(4, 0, 0));
        LinearWeight table = builder.Weight("t", WeightFormat.Int8, new Shape(32, 64));
        builder.MarkOutput(builder.EmbedTokens(builder.Input("ids", DType.I32, RowExtent.Tokens), table));
        lowered = CudaLowering.Lower(builder.Build(), DType.F16);
        var embed = Assert.IsType<EmbedTokensOp>(Assert.Single(lowered.Operations));
        Assert.Equal((DType.I8, DType.F32), (lowered[embed.Table.Elements].Type, lowered[embed.Table.Scales!.Value].Type));
        Assert.Equal(new EmbedTokens(DType.I8, 64), KernelChoice.Choose(embed, lowered, 4, new DeviceFacts(new ComputeCapability(8, 0), 108)));
    }

    [Fact]
    public void Every_floating_format_stands_for_the_storage_type()
    {
        var form = new LinearForm { Storage = DType.BF16, InFeatures = 64, OutFeatures = 32 };
        Assert.Equal(form, form with { Weights = WeightFormat.F32 });
        Assert.Equal(WeightFormat.BF16, form.Weights);
        Assert.Equal(2 * 64 * 32, form.WeightBytes);
        Assert.Equal((64 * 32) + (4 * 32), (form with { Weights = WeightFormat.Int8 }).WeightBytes);
        Assert.NotEqual(form, form with { Weights = WeightFormat.Int8 });
    }

    /// <summary>Rows of gate and up lie in turns; so do their scales.</summary>
    [Fact]
    public void Parts_of_a_weight_keep_the_order_of_its_rows()
    {
        var geometry = new AttentionGeometry(2, 1, 32);
        Assert.Equal(new PlainWeight("w.scale"), new PlainWeight("w").Part(WeightPart.Scales));
        Assert.Equal(new PlainWeight("w"), new PlainWeight("w").Part(WeightPart.Elements));
        Assert.Equal(new GateUpWeight("g.zero", "u.zero"), new GateUpWeight("g", "u").Part(WeightPart.ZeroPoints));
        Assert.Equal(new RopePackedWeight("w.scale", geometry), new RopePackedWeight("w", geometry).Part(WeightPart.Scales));
        Assert.Equal(new StackedWeight("a.scale", "b.scale"), new StackedWeight("a", "b").Part(WeightPart.Scales));
    }

    private static ComputeGraph Linear(WeightFormat weight, WeightFormat lora, int columns)
    {
        var builder = new GraphBuilder("small", new RowCounts(70, 0, 0));
        Tensor x = builder.Input("x", DType.F32, RowExtent.Tokens, columns), visualRow = builder.Input("visual_row", DType.I32, RowExtent.Tokens);
        var adapter = new PartialLora(builder.Weight("a", lora, new Shape(8, columns)), builder.Weight("b", WeightFormat.F16, new Shape(32, 8)), 1f);
        builder.MarkOutput(builder.Linear(x, builder.Weight("w", weight, new Shape(32, columns)), lora: adapter, visualRow: visualRow));
        return builder.Build();
    }
}
