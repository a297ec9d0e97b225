using XComposer2.Native.Graph;
using Xunit;

namespace XComposer2.Native.UnitTests;

public sealed class MemoryPlannerTests
{
    [Fact]
    public void Live_buffers_of_random_graphs_never_overlap()
    {
        (int reusing, double worst) = (0, 0);
        for (int seed = 0; seed < 3000; seed++)
        {
            ComputeGraph graph = RandomGraphs.Make(seed);
            ExecutionPlan plan = MemoryPlanner.Plan(graph, seed % 3 == 0 ? null : RandomGraphs.Scratch(seed));
            CheckByForce(plan);
            long sum = graph.Operations.Sum(operation => plan.SlotOf(operation.Output).Bytes);
            if (plan.ArenaBytes < sum)
                reusing++;
            worst = Math.Max(worst, (double)plan.ArenaBytes / plan.LowerBoundBytes);
        }

        // A plan without any reuse would pass all checks above.
        Assert.True(reusing > 1500, $"only {reusing} of 3000 arenas are smaller than the sum of their buffers");
        Assert.True(worst < 1.5, $"{worst:F4} x the lower bound");
    }

    [Theory]
    [InlineData(1)]
    [InlineData(31)]
    [InlineData(512)]
    [InlineData(4096)]
    public void Arenas_of_the_published_sizes_reach_the_lower_bound(int tokens)
    {
        foreach (DecoderSizes sizes in (DecoderSizes[])[DecoderSizes.Published7B, DecoderSizes.Published1B8])
        {
            int visualRows = tokens == 1 ? 0 : 1225;
            ComputeGraph graph = SampleGraphs.Decoder(sizes, tokens, 1, visualRows, DType.BF16);
            IsTight(MemoryPlanner.Plan(graph), 1.0);
            IsTight(MemoryPlanner.Plan(graph, PartialLoraScratch), 1.1);
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(16)]
    public void Arenas_of_the_vision_tower_reach_the_lower_bound(int images)
    {
        foreach (VisionSizes sizes in (VisionSizes[])[VisionSizes.Published490(4096), VisionSizes.Published490(2048), VisionSizes.Published224(4096)])
        {
            ComputeGraph graph = SampleGraphs.Vision(sizes, images);
            IsTight(MemoryPlanner.Plan(graph), 1.0);
            IsTight(MemoryPlanner.Plan(graph, operation => operation is VisionAttentionOp ? 3_333_333 : 0), 1.15);
        }
    }

    [Fact]
    public void Scratch_is_exclusive_to_its_operation()
    {
        ComputeGraph graph = SampleGraphs.Decoder(DecoderSizes.Tiny, 5, 1, 0);
        ExecutionPlan plan = MemoryPlanner.Plan(graph, operation => operation is PagedAttentionOp ? 1001 : 0);
        for (int step = 0; step < graph.Operations.Length; step++)
            Assert.Equal(graph.Operations[step] is PagedAttentionOp ? 1001 : 0, plan.ScratchOf(step).Bytes);
        CheckByForce(plan);
    }

    [Fact]
    public void Plans_are_reproducible()
    {
        string first = PlanText.Write(MemoryPlanner.Plan(RandomGraphs.Make(77), RandomGraphs.Scratch(77)));
        Assert.Equal(first, PlanText.Write(MemoryPlanner.Plan(RandomGraphs.Make(77), RandomGraphs.Scratch(77))));
    }

    [Fact]
    public void Inputs_and_weights_are_not_in_the_arena()
    {
        ComputeGraph graph = SampleGraphs.Decoder(DecoderSizes.Tiny, 5, 1, 0);
        ExecutionPlan plan = MemoryPlanner.Plan(graph);
        Assert.Contains("'ids'", Assert.Throws<ArgumentException>(() => plan.OffsetOf(graph.Find("ids"))).Message, StringComparison.Ordinal);
        Assert.Contains("Weight", Assert.Throws<ArgumentException>(() => plan.OffsetOf(graph.Find("norm.weight"))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Negative_or_overflowing_scratch_is_rejected()
    {
        ComputeGraph graph = SampleGraphs.Decoder(DecoderSizes.Tiny, 5, 1, 0);
        Assert.Contains("embed_tokens 'embedded'", Assert.Throws<GraphException>(() => MemoryPlanner.Plan(graph, _ => -1)).Message, StringComparison.Ordinal);
        Assert.Contains("exceeds 63 bits", Assert.Throws<GraphException>(() => MemoryPlanner.Plan(graph, _ => long.MaxValue)).Message, StringComparison.Ordinal);
        Assert.Contains("exceeds 63 bits", Assert.Throws<GraphException>(() => MemoryPlanner.Plan(graph, _ => long.MaxValue - 1000)).Message, StringComparison.Ordinal);
    }

    /// <summary>Scratch of a realistic kernel: low-rank products and a quantised copy of the input.</summary>
    private static long PartialLoraScratch(Operation operation) => operation switch
    {
        LinearOp { Lora: not null } => 4L * 4096 * 256,
        GatedLinearOp => 2L * 4 * 4096 * 256,
        _ => 0,
    };

    private static void IsTight(ExecutionPlan plan, double factor)
    {
        CheckByForce(plan);
        Assert.True(plan.ArenaBytes <= plan.LowerBoundBytes * factor, $"{plan.Graph.Name}: {(double)plan.ArenaBytes / plan.LowerBoundBytes:F4} x the lower bound");
    }

    /// <summary>Independent check: derives lifetimes from the operations and compares every pair at every step.</summary>
    private static void CheckByForce(ExecutionPlan plan)
    {
        ComputeGraph graph = plan.Graph;
        int steps = graph.Operations.Length;
        var buffers = new List<(string Name, ArenaSlot Slot, int First, int Last)>();
        for (int step = 0; step < steps; step++)
        {
            Tensor output = graph.Operations[step].Output;
            int last = step;
            for (int later = step; later < steps; later++)
                if (graph.Operations[later].Inputs.Contains(output) || graph[output].Role == TensorRole.Output)
                    last = later;
            ArenaSlot slot = plan.SlotOf(output);
            Assert.Equal(graph[output].CapacityBytes, slot.Bytes);
            buffers.Add((graph[output].Name, slot, step, last));
            if (plan.ScratchOf(step) is { Bytes: > 0 } scratch)
                buffers.Add(("scratch of " + graph[output].Name, scratch, step, step));
        }

        long peak = 0;
        for (int step = 0; step < steps; step++)
        {
            var live = buffers.Where(buffer => buffer.First <= step && step <= buffer.Last).OrderBy(buffer => buffer.Slot.OffsetBytes).ToList();
            long bytes = live.Sum(buffer => MemoryPlanner.Align(buffer.Slot.Bytes));
            peak = Math.Max(peak, bytes);
            for (int i = 1; i < live.Count; i++)
                Assert.True(live[i - 1].Slot.EndBytes <= live[i].Slot.OffsetBytes, $"{graph.Name}, step {step}: {live[i - 1]} overlaps {live[i]}");
        }

        Assert.All(buffers, buffer => Assert.True(
            buffer.Slot.OffsetBytes >= 0 && buffer.Slot.OffsetBytes % 256 == 0 && buffer.Slot.EndBytes <= plan.ArenaBytes, $"{graph.Name}: {buffer} in {plan.ArenaBytes}"));
        Assert.Equal(peak, plan.LowerBoundBytes);
        Assert.True(plan.ArenaBytes >= peak);
    }
}
