using System.Text.RegularExpressions;
using XComposer2.Native.Cuda;
using XComposer2.Native.Graph;
using XComposer2.Native.Kernels;
using XComposer2.Native.Model;
using Xunit;

namespace XComposer2.Native.UnitTests;

/// <summary>What is compiled ahead of time is what runs, on every card; and nothing lies in <c>kernels/</c> that no one runs.</summary>
public sealed partial class KernelCatalogTests
{
    // A slice of a card, a small card, a large one, one that does not exist.
    private static readonly int[] multiprocessors = [14, 24, 46, 108, 132, 170, 1000];

    private static readonly ComputeCapability[] generations = [new(7, 5), new(8, 0), new(8, 6), new(9, 0), new(12, 0)];

    public static TheoryData<string, WeightQuantization> Models
    {
        get
        {
            TheoryData<string, WeightQuantization> data = [];
            foreach (string model in ModelPresets.Names.Append("demo"))
                foreach (WeightQuantization quantization in new[] { WeightQuantization.None, WeightQuantization.Int8 })
                    data.Add(model, quantization);
            return data;
        }
    }

    /// <summary>Of two layers each, while the catalog looks at one: layers are alike.</summary>
    [Theory]
    [MemberData(nameof(Models))]
    public void Every_kernel_that_a_graph_runs_is_listed(string model, WeightQuantization quantization)
    {
        ModelConfig config = Config(model);
        ModelConfig thin = config.WithLayers(2);
        thin = thin with { Vision = thin.Vision with { LayerCount = 2 } };
        var graphs = new ModelGraphs(thin, WeightFacts.Uniform(thin, DType.F16, quantization), config.ContextLength, decodeSequences: [1, 2, 8, 64]);
        ComputeGraph[] lowered =
        [
            .. from graph in graphs.All
               from cache in (CacheFormat[])[CacheFormat.F16, CacheFormat.Int8]
               select CudaLowering.Lower(graph.Build(), DType.F16, cache),
        ];
        foreach (ComputeCapability generation in generations)
        {
            HashSet<KernelDefinition> listed = [.. ModelCatalog.KernelsOf(config, DType.F16, generation, quantization)];
            HashSet<KernelDefinition> run = [];
            foreach (int count in multiprocessors)
                foreach (ComputeGraph graph in lowered)
                    foreach (Operation operation in graph.Operations)
                        run.UnionWith(KernelsByRows.Of(operation, graph, new DeviceFacts(generation, count)).Kernels);
            Assert.Empty(run.Except(listed));
            // Beside what operations run: the choice of a token, and tiles of cards that are not tried here.
            Assert.All(listed.Except(run), rest => Assert.True(rest is LinearPrefill or LinearWgmma or not OperationKernel, rest.ToString()));
        }
    }

    /// <summary>Of the recipes that train part of a model, too: what is trained decides types alone, of which everything and nothing has all.</summary>
    [Theory]
    [InlineData(DType.BF16)]
    [InlineData(DType.F32)]
    public void Every_kernel_that_training_runs_is_listed(DType storage)
    {
        ModelConfig config = Config("demo");
        HashSet<KernelDefinition> listed = [.. ModelCatalog.TrainingKernelsOf(config, storage, new ComputeCapability(8, 0))];
        HashSet<string> trained = [.. ModelTensors.Expected(config).Where(tensor => tensor.Kind is TensorKind.PartialLora or TensorKind.Vision or TensorKind.Projector).Select(tensor => tensor.Name)];
        ComputeGraph lowered = TrainingLowering.Lower(
            TrainingNetwork.Build(config, WeightFacts.Uniform(config, DType.F32), new RowCounts(512, 128, 4), new TrainedParts { IsTrained = trained.Contains, RecomputedLayers = 3 }).Graph, storage);
        HashSet<KernelDefinition> run = [.. lowered.Operations.SelectMany(operation => KernelsByRows.Of(operation, lowered, new DeviceFacts(new ComputeCapability(8, 0), 108)).Kernels)];
        Assert.Empty(run.Except(listed));
    }

    [Fact]
    public void Every_file_in_kernels_has_a_user()
    {
        string root = TestPaths.Repository("kernels");
        string[] files = Files(root, "*.cu");
        HashSet<string> launched =
        [
            // Weights in groups of columns come from checkpoints.
            "gemm/dequantize.cu",
            .. from name in ModelPresets.Names
               from capability in new ComputeCapability[] { new(8, 0), new(9, 0) }
               from definition in ModelCatalog.KernelsOf(ModelPresets.Find(name), DType.BF16, capability).Concat(ModelCatalog.TrainingKernelsOf(ModelPresets.Find(name), DType.BF16, capability))
               select definition.Source,
        ];
        Assert.Equal(files, launched.Order(StringComparer.Ordinal));

        // Wrappers of instructions may precede their first kernel, if a test runs them.
        string tests = TestPaths.Repository("tests/EmulatedDeviceTests/Kernels");
        HashSet<string> included = [];
        Queue<string> open = new([.. files.Select(file => Path.Combine(root, file)), .. Files(tests, "*.cu").Select(file => Path.Combine(tests, file))]);
        while (open.TryDequeue(out string? file))
            foreach (Match include in Include().Matches(File.ReadAllText(file)))
                if (Path.Combine(root, include.Groups[1].Value) is { } header && File.Exists(header) && included.Add(include.Groups[1].Value))
                    open.Enqueue(header);
        Assert.Equal(Files(root, "*.cuh"), included.Order(StringComparer.Ordinal));
    }

    private static string[] Files(string root, string pattern) =>
    [
        .. Directory.GetFiles(root, pattern, SearchOption.AllDirectories).Select(file => Path.GetRelativePath(root, file).Replace('\\', '/')).Order(StringComparer.Ordinal),
    ];

    private static ModelConfig Config(string model)
    {
        if (model != "demo")
            return ModelPresets.Find(model);
        using Checkpoint checkpoint = CheckpointFolder.Open(TestPaths.Repository("tools/demo/checkpoint"));
        return checkpoint.Config;
    }

    [GeneratedRegex("^#include \"([^\"]+)\"", RegexOptions.Multiline)]
    private static partial Regex Include();
}
