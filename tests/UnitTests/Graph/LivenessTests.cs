using System.Collections.Immutable;
using XComposer2.Native.Graph;
using Xunit;

namespace XComposer2.Native.UnitTests;

public sealed class LivenessTests
{
    [Fact]
    public void Residual_lives_until_added_and_output_to_the_end()
    {
        ComputeGraph graph = SampleGraphs.Decoder(DecoderSizes.Tiny, 5, 1, 0);
        Liveness liveness = Liveness.Of(graph);
        Assert.Equal(new LiveRange(0, 5), liveness[graph.Find("embedded")]);
        Assert.Equal(new LiveRange(1, 2), liveness[graph.Find("layers.0.attention_norm")]);
        Assert.Equal(new LiveRange(19, 19), liveness[graph.Find("logits")]);
        Assert.Null(liveness[graph.Find("ids")]);
        Assert.Null(liveness[graph.Find("embeddings")]);
    }

    [Fact]
    public void Early_output_lives_to_the_end()
    {
        var builder = new GraphBuilder("early", new RowCounts(3, 0, 0));
        Tensor weight = builder.Weight("w", DType.F32, new Shape(4));
        Tensor first = builder.RmsNorm(builder.Input("x", DType.F32, RowExtent.Tokens, 4), weight, 0f);
        builder.MarkOutput(first);
        builder.MarkOutput(builder.RmsNorm(builder.RmsNorm(first, weight, 0f), weight, 0f));
        Assert.Equal(new LiveRange(0, 2), Liveness.Of(builder.Build())[first]);
    }

    [Fact]
    public void Invalid_graphs_are_rejected()
    {
        Tensor x = new(0);
        Tensor weight = new(1);
        Tensor a = new(2);
        Tensor b = new(3);
        Refused("step 0", "'b'", "read before", new RmsNormOp(b, weight, 0f, a), new RmsNormOp(x, weight, 0f, b));
        Refused("step 0", "'a'", "read before", new RmsNormOp(a, weight, 0f, a));
        Refused("step 1", "'a'", "written twice", new RmsNormOp(x, weight, 0f, a), new RmsNormOp(x, weight, 0f, a));
        Refused("step 0", "'x'", "role is Input", new RmsNormOp(x, weight, 0f, x));
        Refused("graph 'by hand'", "'b'", "no operation writes it", new RmsNormOp(x, weight, 0f, a));
        Refused("step 0", "handle 4", "not a tensor", new RmsNormOp(x, weight, 0f, new Tensor(4)));
    }

    private static void Refused(string place, string tensor, string what, params ImmutableArray<Operation> operations)
    {
        TensorSpec Spec(string name, TensorRole role) => new(name, DType.F32, new Shape(3, 4), RowExtent.Tokens, role);
        var graph = new ComputeGraph(
            "by hand",
            new RowCounts(3, 0, 0),
            [Spec("x", TensorRole.Input), Spec("w", TensorRole.Weight), Spec("a", TensorRole.Temporary), Spec("b", TensorRole.Temporary)],
            operations);
        GraphException error = Assert.Throws<GraphException>(() => MemoryPlanner.Plan(graph));
        Assert.All([place, tensor, what], part => Assert.Contains(part, error.Message, StringComparison.Ordinal));
    }
}
