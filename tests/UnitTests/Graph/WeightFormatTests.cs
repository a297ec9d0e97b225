using XComposer2.Native.Graph;
using Xunit;

namespace XComposer2.Native.UnitTests;

public sealed class WeightFormatTests
{
    public static TheoryData<WeightFormat, string, long> Formats => new()
    {
        { WeightFormat.F32, "f32", 4 * 12 * 80 },
        { WeightFormat.BF16, "bf16", 2 * 12 * 80 },
        { WeightFormat.Int8, "int8", (12 * 80) + (4 * 12) },
        { WeightFormat.Grouped(8, 32), "int8 by 32", (12 * 80) + (2 * 12 * 3) },
        { WeightFormat.Grouped(8, 128, hasZeroPoints: true), "int8 by 128 with zero points", (12 * 80) + (2 * 12) + 12 },
        { WeightFormat.Grouped(4, 32, hasGroupIndex: true), "int4 by 32 with group index", (12 * 40) + (2 * 12 * 3) + (4 * 80) },
        { WeightFormat.Grouped(4, 16, hasZeroPoints: true, hasGroupIndex: true), "int4 by 16 with zero points and group index", (12 * 40) + (2 * 12 * 5) + (12 * 5) + (4 * 80) },
    };

    [Theory]
    [MemberData(nameof(Formats))]
    public void Parts_add_up_to_the_bytes_of_a_matrix(WeightFormat format, string text, long bytes)
    {
        Shape shape = new(12, 80);
        Assert.Equal(text, format.ToString());
        Assert.Equal(bytes, format.Bytes(shape));
        Assert.Equal(bytes, format.Parts(shape).Sum(part => part.Bytes));
        Assert.Equal(Enum.GetValues<WeightPart>().Where(format.Has), format.Parts(shape).Select(part => part.Part));
        foreach (WeightPart part in Enum.GetValues<WeightPart>())
            Assert.Equal(("layer.weight", part), WeightFormat.Parse(WeightFormat.NameOf("layer.weight", part)));
    }

    [Theory]
    [MemberData(nameof(Formats))]
    public void A_graph_declares_every_part_of_a_weight(WeightFormat format, string text, long bytes)
    {
        var builder = new GraphBuilder(text, new RowCounts(3, 0, 0));
        Tensor x = builder.Input("x", DType.F32, RowExtent.Tokens, 80);
        LinearWeight weight = builder.Weight("w", format, new Shape(12, 80));
        Assert.Equal(weight, builder.Weight("w", format, new Shape(12, 80)));
        builder.MarkOutput(builder.Linear(x, weight));
        ComputeGraph graph = builder.Build();
        LinearOp linear = Assert.IsType<LinearOp>(Assert.Single(graph.Operations));
        Assert.Equal([x, .. weight.Parts], linear.Inputs);
        Assert.Equal([weight], linear.LinearWeights);
        Assert.Equal(bytes, graph.Tensors.Where(tensor => tensor.Role == TensorRole.Weight).Sum(tensor => tensor.CapacityBytes));
    }

    [Fact]
    public void A_weight_has_the_parts_of_its_format_and_no_others()
    {
        var builder = new GraphBuilder("small", new RowCounts(3, 0, 0));
        Tensor x = builder.Input("x", DType.F32, RowExtent.Tokens, 80);
        LinearWeight int8 = builder.Weight("w", WeightFormat.Int8, new Shape(12, 80)), int4 = builder.Weight("g", WeightFormat.Grouped(4, 32, true), new Shape(12, 80));
        Tensor halves = builder.Weight("h", DType.F16, new Shape(12)), floats = builder.Weight("f", DType.F16, new Shape(12, 80));
        Refused(int8 with { Scales = null }, "weight.Scales", "int8", "none");
        Refused(int8 with { Scales = halves }, "weight.Scales 'h'", "F32 for int8", "F16");
        Refused(int8 with { ZeroPoints = int4.ZeroPoints }, "weight.ZeroPoints", "none, because the format is int8");
        Refused(int4 with { Scales = int8.Scales }, "weight.Scales 'w.scale'", "rank 2");
        Refused(int4 with { Format = WeightFormat.Grouped(4, 16, true) }, "weight.Scales 'g.scale'", "[12, 5]", "[12, 3]");
        Refused(int4 with { Elements = int8.Elements }, "weight 'w'", "U4 for int4 by 32 with zero points", "I8");
        Refused(builder.Stored(floats) with { Format = WeightFormat.BF16 }, "weight 'f'", "BF16 for bf16", "F16");
        Refused(builder.Stored(int8.Elements), "weight 'w'", "a floating type", "I8");
        Assert.Contains(
            "the gate's format, int8", Assert.Throws<GraphException>(() => builder.GatedLinear(x, int8, int4)).Message, StringComparison.Ordinal);
        Assert.Contains("whole bytes, found 7 elements of 4 bits", Assert.Throws<GraphException>(() => builder.Weight("odd", WeightFormat.Grouped(4, 8), new Shape(2, 7))).Message, StringComparison.Ordinal);

        void Refused(LinearWeight weight, params string[] words)
        {
            string message = Assert.Throws<GraphException>(() => builder.Linear(x, weight)).Message;
            Assert.All(words, word => Assert.Contains(word, message, StringComparison.Ordinal));
        }
    }

    [Fact]
    public void Formats_that_there_are_not_are_refused()
    {
        Assert.Contains("4 or 8 bits, found 3", Assert.Throws<ArgumentException>(() => WeightFormat.Grouped(3, 32)).Message, StringComparison.Ordinal);
        Assert.Contains("found 20", Assert.Throws<ArgumentException>(() => WeightFormat.Grouped(4, 20)).Message, StringComparison.Ordinal);
        Assert.Contains("found 0", Assert.Throws<ArgumentException>(() => WeightFormat.Grouped(4, 0)).Message, StringComparison.Ordinal);
        Assert.Contains("found I8", Assert.Throws<ArgumentException>(() => WeightFormat.Of(DType.I8)).Message, StringComparison.Ordinal);
        Assert.Contains("found U8", Assert.Throws<ArgumentException>(() => CacheFormat.Of(DType.U8)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(DType.I4, 0, 0)]
    [InlineData(DType.I4, 1, 1)]
    [InlineData(DType.U4, 2, 1)]
    [InlineData(DType.U4, long.MaxValue, (long.MaxValue / 2) + 1)]
    [InlineData(DType.BF16, 3, 6)]
    [InlineData(DType.I64, 3, 24)]
    public void Elements_of_less_than_a_byte_are_packed(DType type, long elements, long bytes)
    {
        Assert.Equal(bytes, type.Bytes(elements));
        if (type.ElementBits() < 8)
            Assert.Throws<ArgumentOutOfRangeException>(() => type.ElementBytes());
    }

    [Theory]
    [InlineData(DType.F32, 512)]
    [InlineData(DType.F16, 256)]
    [InlineData(DType.BF16, 256)]
    [InlineData(DType.I8, 132)]
    public void A_cache_format_counts_the_scale_of_each_token_and_head(DType elements, long headBytes)
    {
        CacheFormat format = CacheFormat.Of(elements);
        Assert.Equal(headBytes, format.HeadBytes(128));
        Assert.Equal(2 * 64 * 2 * 8 * 32 * headBytes, KeyValuePages.Bytes(new AttentionGeometry(32, 8, 128), 32, 65, format));
    }
}
