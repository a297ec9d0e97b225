using XComposer2.Native.Cuda;
using XComposer2.Native.Graph;
using XComposer2.Native.Kernels;
using XComposer2.Native.Model;
using Xunit;

namespace XComposer2.Native.UnitTests;

/// <summary>Which kernel runs each operation of the 7B, as a table: operation, rows, device; kernel, tile, waves, blocks of a multiprocessor. No device is needed.</summary>
public sealed class KernelChoiceTests
{
    private static readonly ComputeGraph[] graphs = Lower();

    private static readonly int[] multiprocessors = [1, 14, 24, 46, 68, 108, 128, 132, 170];

    private static readonly ComputeCapability[] generations = [new(7, 5), new(8, 0), new(8, 6), new(8, 9), new(9, 0), new(10, 0), new(12, 0)];

    [Theory]
    // A100: gate and up wide, the packed projection square; 352 tiles of 128 x 128 would take a fourth wave for 28 of them.
    [InlineData("prefill wqkv", 1300, 80, 108, "linear_prefill", "128x128", 5, 2)]
    [InlineData("prefill wo", 1300, 80, 108, "linear_prefill", "128x256", 2, 1)]
    [InlineData("prefill w13", 1300, 80, 108, "linear_prefill", "128x256", 12, 1)]
    [InlineData("prefill w2", 64, 80, 108, "linear_prefill", "64x64", 1, 2)]
    [InlineData("vision qkv", 1226, 80, 108, "linear_prefill", "128x128", 3, 2)]
    [InlineData("vision fc1", 1226, 80, 108, "linear_prefill", "128x128", 3, 2)]
    // Of K, too: 84 tiles in 2 parts, 44 in 3.
    [InlineData("prefill lora_down", 1300, 80, 108, "lora_down", "64x64", 2, 2)]
    [InlineData("prefill lora_down", 1300, 90, 132, "lora_down_wgmma", "128x64", 1, 1)]
    // H100 and H200: a picture with its question is not 2048 rows, though it runs in their plan.
    // Whole waves: 24 tiles of 256 columns, 24 of 176, 120 of 240, by 11 of rows.
    [InlineData("prefill wqkv", 1300, 90, 132, "linear_wgmma", "128x256", 2, 1)]
    [InlineData("prefill wo", 1300, 90, 132, "linear_wgmma", "128x176", 2, 1)]
    [InlineData("prefill w13", 1300, 90, 132, "linear_wgmma", "128x240", 10, 1)]
    [InlineData("prefill w2", 1300, 90, 132, "linear_wgmma", "128x176", 2, 1)]
    [InlineData("prefill wqkv", 1280, 90, 132, "linear_wgmma", "128x240", 2, 1)]
    [InlineData("prefill wo", 1536, 90, 132, "linear_wgmma", "128x128", 3, 1)]
    [InlineData("prefill wo", 2048, 90, 132, "linear_wgmma", "128x256", 2, 1)]
    [InlineData("prefill w2", 2048, 90, 132, "linear_wgmma", "128x256", 2, 1)]
    [InlineData("prefill wo", 512, 90, 132, "linear_wgmma", "128x128", 1, 1)]
    [InlineData("vision qkv", 1226, 90, 132, "linear_wgmma", "128x256", 1, 1)]
    [InlineData("vision out_proj", 1226, 90, 132, "linear_wgmma", "128x80", 1, 1)]
    [InlineData("vision fc1", 1226, 90, 132, "linear_wgmma", "128x176", 2, 1)]
    [InlineData("vision fc2", 1226, 90, 132, "linear_wgmma", "128x80", 1, 1)]
    // Few rows: the small tile of mma.sync, which all multiprocessors have a part of.
    [InlineData("prefill wo", 64, 90, 132, "linear_prefill", "64x64", 1, 2)]
    // Tensor cores of the generation after it have other instructions.
    [InlineData("prefill wo", 1300, 100, 148, "linear_prefill", "128x128", 3, 2)]
    // RTX 3070 and 4090: 64 rows wherever 128 would leave multiprocessors idle.
    [InlineData("prefill wqkv", 1300, 86, 46, "linear_prefill", "64x128", 22, 2)]
    [InlineData("prefill wo", 1300, 86, 46, "linear_prefill", "64x128", 15, 2)]
    [InlineData("prefill w13", 1300, 86, 46, "linear_prefill", "64x128", 103, 2)]
    [InlineData("vision fc2", 1226, 86, 46, "linear_prefill", "64x64", 7, 2)]
    [InlineData("vision fc1", 1226, 86, 68, "linear_prefill", "128x128", 5, 2)]
    [InlineData("vision fc1", 1226, 89, 128, "linear_prefill", "64x128", 5, 2)]
    // RTX 2080: Partial LoRA takes registers that the largest tile has not got.
    [InlineData("prefill w13", 1300, 75, 46, "linear_prefill", "64x128", 103, 2)]
    [InlineData("vision fc1", 1226, 75, 46, "linear_prefill", "128x128", 7, 2)]
    // Consumer cards after the 4090.
    [InlineData("prefill w13", 1300, 120, 170, "linear_prefill", "64x128", 28, 2)]
    // Generated tokens: each weight once, in one wave of two blocks of a multiprocessor; of one, where eight rows of 4096 columns fill its shared memory. The
    // logits of a prompt are a row too.
    [InlineData("decode wqkv", 1, 90, 132, "linear_decode", null, 2, 3)]
    [InlineData("decode w13", 8, 86, 46, "linear_decode", null, 1, 1)]
    [InlineData("decode logits", 1, 90, 132, "linear_decode", null, 2, 3)]
    // However many are generated together: no tile.
    [InlineData("decode wo", 9, 86, 46, "linear_decode", null, 2, 2)]
    [InlineData("decode w13", 16, 80, 108, "linear_decode", null, 2, 2)]
    [InlineData("decode w13", 32, 90, 132, "linear_decode", null, 2, 2)]
    [InlineData("decode w13", 64, 90, 132, "linear_decode", null, 2, 2)]
    [InlineData("prefill logits", 1, 75, 46, "linear_decode", null, 2, 3)]
    [InlineData("prefill attention", 1300, 86, 46, "prefill_attention", null, 15, 2)]
    [InlineData("vision attention", 1226, 75, 46, "vision_attention", null, 7, 2)]
    public void An_operation_gets_the_kernel_of_the_table(
        string operation, int rows, int capability, int count, string kernel, string? tile, long waves, int blocksPerMultiprocessor)
    {
        DeviceFacts device = new(new ComputeCapability(capability / 10, capability % 10), count);
        (ComputeGraph graph, Operation found) = Find(operation);
        OperationKernel chosen = KernelChoice.Choose(found, graph, rows, device);
        Assert.Equal(kernel, chosen.Entry);
        Assert.Equal(tile, TileOf(chosen) is { } used ? $"{used.Rows}x{used.Columns}" : null);
        LaunchFill fill = LaunchFill.Of(chosen, Geometry(chosen, rows, device), device);
        Assert.Equal((waves, blocksPerMultiprocessor), (fill.Waves, fill.BlocksPerMultiprocessor));
    }

    /// <summary>An operation is bound to the kernels of its rows, chosen in steps; a launch must not find another than the chooser would give it.</summary>
    [Fact]
    public void Kernels_by_rows_are_those_that_are_chosen()
    {
        foreach (ComputeCapability generation in generations)
            foreach (int count in multiprocessors)
            {
                DeviceFacts device = new(generation, count);
                foreach (ComputeGraph graph in graphs)
                    foreach (Operation operation in graph.Operations)
                    {
                        KernelsByRows kernels = KernelsByRows.Of(operation, graph, device);
                        TensorSpec result = graph[operation.Output];
                        for (int rows = result.Rows.PerUnit; rows <= result.Shape[0]; rows += operation is FusedLinearOp ? result.Rows.PerUnit : Math.Max(1, result.Shape[0] / 2))
                            Assert.Equal(KernelChoice.Choose(operation, graph, rows, device), kernels.Kernels[kernels.IndexFor(rows)]);
                        Assert.Equal(kernels.Kernels.Length, kernels.Kernels.Distinct().Count());
                        Assert.Empty(kernels.Kernels.Except(KernelChoice.Candidates(operation, graph, generation)));
                    }
            }
    }

    /// <summary>What is chosen can be launched: a tile for a generation without asynchronous copies has two stages.</summary>
    [Fact]
    public void Before_8_0_every_tile_has_two_stages()
    {
        ComputeCapability turing = new(7, 5);
        foreach (bool hasLora in (bool[])[false, true])
            Assert.All(LinearTiles.Candidates(turing, Form(DType.F16), hasLora), tile => Assert.Equal(2, Assert.IsType<PrefillTile>(tile).Stages));
        Assert.Equal(2, Assert.IsType<LoraDown>(LinearTiles.ChooseForLora(turing, DType.F16, 4096, 256)).Tile.Stages);
    }

    [Fact]
    public void F32_has_one_tile()
    {
        foreach (ComputeCapability generation in generations)
        {
            Assert.Equal(new LinearPrefill(Form(DType.F32), PrefillTile.Plain), LinearTiles.Choose(new DeviceFacts(generation, 46), Form(DType.F32), 1, loraRank: 0));
            Assert.Equal([PrefillTile.Plain], LinearTiles.Candidates(generation, Form(DType.F32), hasLora: true));
            Assert.Equal(new LoraDown(DType.F32, 4096, 256, PrefillTile.Plain), LinearTiles.ChooseForLora(generation, DType.F32, 4096, 256));
        }
    }

    /// <summary>On sm_90, too, weights that wgmma cannot read and rows that tensor maps cannot have keep their tiles.</summary>
    [Fact]
    public void What_wgmma_has_no_form_for_has_other_tiles()
    {
        DeviceFacts hopper = new(new ComputeCapability(9, 0), 132);
        Assert.IsType<LinearWgmma>(LinearTiles.Choose(hopper, Form(DType.BF16), 1300, loraRank: 8));
        Assert.IsType<LinearPrefill>(LinearTiles.Choose(hopper, Form(DType.BF16) with { Weights = WeightFormat.Int8 }, 1300, loraRank: 8));
        Assert.IsType<LinearPrefill>(LinearTiles.Choose(hopper, Form(DType.BF16) with { OutFeatures = 4100 }, 1300, loraRank: 0));
        Assert.Throws<ArgumentException>(() => new LinearWgmma(Form(DType.BF16) with { OutFeatures = 4100 }, WgmmaTile.W128));
        Assert.Throws<ArgumentException>(() => new LinearWgmma(Form(DType.F32), WgmmaTile.W128));
    }

    /// <summary>Blocks stay: no more than there are multiprocessors, and no more than tiles.</summary>
    [Theory]
    [InlineData(1300, 132, 264, 132)]
    [InlineData(100, 132, 24, 24)]
    public void Blocks_take_several_tiles(int rows, int count, int tiles, int blocks)
    {
        LinearWgmma kernel = new(Form(DType.BF16), WgmmaTile.W176);
        Assert.Equal(tiles, kernel.CountTiles(rows));
        Assert.Equal(new Dim3(blocks), kernel.Geometry(rows, count).Grid);
    }

    /// <summary>Rows that run are at most the graph's capacity, and multiprocessors any number: the scratch that was planned is enough for all of them.</summary>
    [Theory]
    [InlineData(DType.BF16, 4096, 256)]
    [InlineData(DType.F16, 14336, 256)]
    [InlineData(DType.BF16, 4096, 512)]
    [InlineData(DType.F32, 256, 8)]
    public void Planned_scratch_holds_the_parts_of_every_launch(DType storage, int inputs, int outputs)
    {
        const int Capacity = 2048;
        long planned = LinearTiles.LoraScratchBytes(storage, inputs, outputs, Capacity);
        foreach (ComputeCapability generation in generations.Where(generation => generation.Major >= 8 || storage != DType.BF16))
            for (int rows = 8; rows <= Capacity; rows += 8)
                foreach (int count in multiprocessors.Append(1000))
                {
                    OperationKernel kernel = LinearTiles.ChooseForLora(generation, storage, inputs, outputs);
                    SplitSums split = kernel is LoraDownWgmma wgmma ? wgmma.Split(rows) : ((LoraDown)kernel).Split(rows);
                    int parts = split.Parts(count);
                    Assert.InRange(parts, 1, split.Slices);
                    if (parts == 1) continue;
                    Assert.True(split.Tiles * split.TileBytes * parts <= planned, $"{kernel}, {rows} rows, {count} multiprocessors: {parts} parts");
                    Assert.True(split.Tiles * sizeof(uint) <= SplitSums.ArrivalBytes);
                }
    }

    [Fact]
    public void An_operation_without_a_kernel_is_named()
    {
        ComputeGraph graph = new ModelGraphs(Config, WeightFacts.Uniform(Config, DType.BF16), 64).Decode[0].Build();
        Operation rope = graph.Operations.OfType<RopeKvAppendOp>().First();
        Assert.Equal(
            "graph 'decode': the GPU has no kernel for rope_kv_append",
            Assert.Throws<NotSupportedException>(() => KernelChoice.Choose(rope, graph, 1, new DeviceFacts(new ComputeCapability(8, 0), 108))).Message);
    }

    private static LinearForm Form(DType storage) => new() { Storage = storage, InFeatures = 4096, OutFeatures = 4096 };

    private static ModelConfig Config
    {
        get
        {
            ModelConfig config = ModelPresets.Find(ModelPresets.VisionLanguage7B).WithLayers(1);
            return config with { Vision = config.Vision with { LayerCount = 1 } };
        }
    }

    private static ComputeGraph[] Lower()
    {
        var list = new ModelGraphs(Config, WeightFacts.Uniform(Config, DType.F16), 4096, decodeSequences: 64);
        return [.. list.Largest.Select(graph => CudaLowering.Lower(graph.Build(), DType.F16))];
    }

    /// <summary>Queries, keys and values of a picture are one linear, whose rows attention reads at a stride; where the three differ, they stay three.</summary>
    [Fact]
    public void Projections_of_a_picture_are_packed_where_they_are_alike()
    {
        ComputeGraph packed = Lowered(Activation.None);
        VisionAttentionOp attention = Assert.Single(packed.Operations.OfType<VisionAttentionOp>());
        FusedLinearOp linear = Assert.Single(packed.Operations.OfType<FusedLinearOp>());
        Assert.Equal([linear.Output, linear.Output, linear.Output], attention.Inputs);
        Assert.Equal((new StackedWeight("q", "k", "v"), new StackedWeight("qb", "kb", "vb")), (linear.Weight, linear.Bias));
        Assert.Equal(3 * 64, packed[linear.Output].RowElements);
        Assert.Equal(3 * 64, Assert.IsType<VisionAttention>(KernelChoice.Choose(attention, packed, 5, new DeviceFacts(new ComputeCapability(8, 0), 1))).InputStride);

        ComputeGraph apart = Lowered(Activation.QuickGelu);
        Assert.Equal(3, apart.Operations.OfType<FusedLinearOp>().Count());
        Assert.Equal(64, Assert.IsType<VisionAttention>(KernelChoice.Choose(apart.Operations.OfType<VisionAttentionOp>().Single(), apart, 5, new DeviceFacts(new ComputeCapability(8, 0), 1))).InputStride);

        static ComputeGraph Lowered(Activation ofKeys)
        {
            GraphBuilder builder = new("vision", new RowCounts(0, 0, 1));
            Tensor input = builder.Input("x", DType.F32, RowExtent.Images(5), 64);
            Tensor Project(string name, Activation activation) => builder.Linear(
                input, builder.Weight(name, WeightFormat.F16, new Shape(64, 64)), builder.Weight(name + "b", DType.F16, new Shape(64)), activation, name: name + "_proj");
            builder.MarkOutput(builder.VisionAttention(Project("q", Activation.None), Project("k", ofKeys), Project("v", Activation.None), 5, 1, "attention"));
            return CudaLowering.Lower(builder.Build(), DType.F16);
        }
    }

    /// <summary>"prefill wo": the graph, and what is known of the result's name.</summary>
    private static (ComputeGraph Graph, Operation Operation) Find(string name)
    {
        string[] words = name.Split(' ');
        ComputeGraph graph = graphs.Single(each => each.Name == words[0]);
        return (graph, graph.Operations.First(operation => words[1] switch
        {
            "wqkv" => operation is FusedLinearOp { Epilogue: LinearEpilogue.RopeKvAppend },
            "w13" => operation is FusedLinearOp { Epilogue: LinearEpilogue.Gated },
            "w2" => graph[operation.Output].Name == DecoderNetwork.HiddenState(1),
            "qkv" => graph[operation.Output].Name.EndsWith("q_proj.packed", StringComparison.Ordinal),
            "fc2" => graph[operation.Output].Name == VisionNetwork.HiddenState(1),
            "lora_down" => operation is LoraDownOp,
            "attention" => operation is PagedAttentionOp or VisionAttentionOp,
            string part => graph[operation.Output].Name.EndsWith(part, StringComparison.Ordinal),
        }));
    }

    private static ILinearTile? TileOf(OperationKernel kernel) => kernel switch
    {
        LinearPrefill linear => linear.Tile,
        LinearWgmma linear => linear.Tile,
        LoraDown down => down.Tile,
        LoraDownWgmma down => down.Tile,
        _ => null,
    };

    private static LaunchGeometry Geometry(OperationKernel kernel, int rows, DeviceFacts device) => kernel switch
    {
        LinearPrefill linear => linear.Geometry(rows),
        // Its blocks stay: the waves are those of the tiles.
        LinearWgmma linear => linear.Geometry(rows, int.MaxValue),
        LinearDecode linear => linear.Geometry(rows, device),
        LoraDown down => down.Geometry(rows, down.Split(rows).Parts(device.Multiprocessors)),
        LoraDownWgmma down => down.Geometry(rows, down.Split(rows).Parts(device.Multiprocessors)),
        PrefillAttention attention => attention.Geometry(rows, sequences: 1),
        VisionAttention attention => attention.Geometry(1, rows),
        _ => throw new ArgumentException($"{kernel.Entry} is not in the table", nameof(kernel)),
    };
}
