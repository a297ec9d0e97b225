using XComposer2.Native.Cuda;
using XComposer2.Native.Graph;
using XComposer2.Native.Kernels;
using XComposer2.Native.Model;
using XComposer2.Native.Runtime;
using Xunit;
using WeightFormat = XComposer2.Native.Kernels.WeightFormat;

namespace XComposer2.Native.UnitTests;

/// <summary>The catalog that is compiled ahead and tested for spills has every linear that the lowered graphs of a model bind, with weights as stored and as int8.</summary>
public sealed class KernelsInUseTests
{
    private static readonly int[] rows = [1, 8, 64, 512, 2048];

    public static TheoryData<string, WeightQuantization> Models
    {
        get
        {
            TheoryData<string, WeightQuantization> data = [];
            foreach (string model in ModelPresets.Names.Append("demo"))
                foreach (WeightQuantization quantization in Enum.GetValues<WeightQuantization>())
                    data.Add(model, quantization);
            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Models))]
    public void The_catalog_has_every_linear_that_is_bound(string model, WeightQuantization quantization)
    {
        ModelConfig config = Config(model).WithLayers(1);
        using IWeightSource source = Quantizations.Over(new SyntheticWeights(config), quantization);
        WeightFacts facts = WeightFacts.Of(source, config);
        ComputeGraph[] graphs =
        [
            VisionNetwork.Build(config, facts, images: 1),
            DecoderNetwork.BuildDecode(config.Decoder, facts, 1),
            .. rows.Select(count => DecoderNetwork.BuildPrefill(config.Decoder, facts, count, 1)),
        ];
        WeightFormat format = quantization == WeightQuantization.Int8 ? WeightFormat.Int8 : WeightFormat.Storage;
        KernelDefinition[] catalog = [.. KernelCatalog.For(ModelKernels.SizesOf(config), KernelStorage.BF16, new ComputeCapability(8, 0), format)];
        HashSet<KernelDefinition> decode = [.. catalog.OfType<LinearDecode>()];
        HashSet<(LinearForm, int)> prefill = [.. catalog.OfType<LinearPrefill>().Select(kernel => (kernel.Form, kernel.LoraRank))];
        HashSet<(int, int)> downs = [.. catalog.OfType<LoraDown>().Select(kernel => (kernel.InFeatures, kernel.OutFeatures))];
        int bound = 0, quantised = 0;
        foreach (ComputeGraph graph in graphs)
        {
            ExecutionPlan plan = MemoryPlanner.Plan(CudaLowering.Lower(graph, DType.BF16));
            CudaBinder binder = new(plan, new CudaWeights(null!, null!, source), null, null!, null!, null!, null!, DType.BF16, embeddingsOnHost: false);
            foreach (LoraDownOp down in plan.Graph.Operations.OfType<LoraDownOp>())
                Assert.Contains((binder.SizeOf(down.A).Columns, down.Rank), downs);
            foreach (FusedLinearOp linear in plan.Graph.Operations.OfType<FusedLinearOp>())
            {
                LinearForm form = LinearForms.Of(linear, binder);
                if (CudaSteps.IsForFewRows(linear, binder))
                    Assert.Contains(new LinearDecode(form, linear.Norm is not null), decode);
                else
                    Assert.Contains((form, linear.Lora?.Rank ?? 0), prefill);
                bound++;
                quantised += form.Weights == WeightFormat.Int8 ? 1 : 0;
            }
        }

        // Four linears of a layer, in the decode graph and in each prefill graph; the head, and the whole of the picture's part, are as stored.
        Assert.Equal(quantization == WeightQuantization.Int8 ? 4 * (1 + rows.Length) : 0, quantised);
        Assert.True(bound > 5 * (1 + rows.Length));
    }

    private static ModelConfig Config(string model)
    {
        if (model != "demo")
            return ModelPresets.Find(model);
        using Checkpoint checkpoint = CheckpointFolder.Open(TestPaths.Repository("tools/demo/checkpoint"));
        return checkpoint.Config;
    }
}
