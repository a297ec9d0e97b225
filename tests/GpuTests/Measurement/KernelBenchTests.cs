using System.Diagnostics;
using System.Text.Json;
using XComposer2.Native.Cuda;
using XComposer2.Native.Graph;
using XComposer2.Native.Kernels;
using XComposer2.Native.Model;
using Xunit;

namespace XComposer2.Native.GpuTests;

/// <summary>The kernel benchmark runs. Its figures are meaningful only on a GPU.</summary>
public sealed class KernelBenchTests(GpuDevice device)
{
    private static readonly string demo = RepositoryPaths.Find("tools/demo/checkpoint");

    [Fact]
    public void Every_kernel_is_timed_at_the_sizes_of_the_demo()
    {
        string file = Path.Combine(Path.GetTempPath(), $"xc2-kernel-bench-{Environment.ProcessId}.json");
        try
        {
            (int exitCode, string output) = Run(null, "--model", demo, "--quick", "--json", file);
            Assert.True(exitCode == 0, output);
            Assert.Contains("farthest from the limit", output, StringComparison.Ordinal);
            using JsonDocument json = JsonDocument.Parse(File.ReadAllBytes(file));
            JsonElement report = json.RootElement;
            Assert.True(report.GetProperty("quick").GetBoolean());
            foreach (string ceiling in (string[])["read_gb_per_s", "mma_tflop_per_s"])
                Assert.True(report.GetProperty(ceiling).GetDouble() > 0, ceiling);
            JsonElement[] times = [.. report.GetProperty("kernels").EnumerateArray()];
            Assert.All(times, time => Assert.True(time.GetProperty("min_us").GetDouble() > 0 && time.GetProperty("median_us").GetDouble() <= time.GetProperty("p90_us").GetDouble()));
            // The program's embedded kernels, so that a copy without kernels/ can be tested too.
            DType storage = device.Supports(DType.BF16) ? DType.BF16 : DType.F16;
            // Weights as stored and as integers of groups, whose prompts take a panel.
            Assert.Equal(
                new[] { WeightQuantization.None, WeightQuantization.Int4 }.SelectMany(weights => ModelCatalog.KernelsOf(DemoConfig(), storage, device.Capability, weights))
                    .Select(definition => definition.Entry).Distinct().Order(StringComparer.Ordinal),
                times.Select(time => time.GetProperty("kernel").GetString()).Distinct().Order(StringComparer.Ordinal));
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Theory]
    [InlineData("written")]
    [InlineData("warm")]
    public void Other_cache_states_are_selectable(string state)
    {
        (int exitCode, string output) = Run(null, "--model", demo, "--quick", "--repetitions", "3", "--l2", state, "--filter", "select_patches", "--json");
        Assert.True(exitCode == 0, output);
        using JsonDocument json = JsonDocument.Parse(output);
        Assert.Equal(state, json.RootElement.GetProperty("l2").GetString());
        Assert.Equal(["select_patches"], json.RootElement.GetProperty("kernels").EnumerateArray().Select(time => time.GetProperty("kernel").GetString()));
    }

    /// <summary>At the published sizes: operands have the offsets, grids and alignment of real measurements.</summary>
    [Theory]
    [InlineData("linear_decode 6144x4096, rope and cache, normed, 8 rows")]
    [InlineData("linear_decode 4096x4096 int8, residual, 1 row")]
    [InlineData("linear_prefill 4096x4096, residual, lora 256 on 0, 64 rows")]
    [InlineData("decode_attention 32/8 heads of 128, 8 sequences of 1300")]
    [InlineData("sample_token 1 row of 92544, top-k 40, top-p 0.8")]
    [InlineData("embed_tokens 512 rows of 4096, 512 of them visual")]
    public void Cases_of_the_7B_run(string name)
    {
        DType storage = device.Supports(DType.BF16) ? DType.BF16 : DType.F16;
        IReadOnlyList<KernelDefinition> kernels = ModelCatalog.KernelsOf(ModelPresets.Find(ModelPresets.VisionLanguage7B), storage, device.Capability);
        KernelCase item = CaseCatalog.For(kernels, DeviceFacts.Of(device.Context.Device), CaseSizes.Full).Single(found => found.Name == name);
        using KernelBenchmark benchmark = KernelBenchmark.Open();
        KernelBenchReport report = benchmark.Measure([item], new KernelBenchPlan { Storage = storage, IsQuick = true, Repetitions = 1 }, null, TestContext.Current.CancellationToken);
        Assert.Equal([item], report.Timings.Select(timing => timing.Case));
    }

    /// <summary>Those of training, which the program's benchmark does not list, at the sizes of the demo.</summary>
    [Fact]
    public void Every_kernel_of_training_has_cases_that_run()
    {
        device.Require("bf16");
        IReadOnlyList<KernelDefinition> training = ModelCatalog.TrainingKernelsOf(DemoConfig(), DType.BF16, device.Capability);
        HashSet<KernelDefinition> added = [.. training.Except(ModelCatalog.KernelsOf(DemoConfig(), DType.BF16, device.Capability))];
        KernelCase[] cases =
        [
            .. CaseCatalog.For([.. ModelCatalog.KernelsOf(DemoConfig(), DType.BF16, device.Capability), .. added], DeviceFacts.Of(device.Context.Device), CaseSizes.Quick)
                .Where(item => item.Definition.Source.StartsWith("training/", StringComparison.Ordinal)),
        ];
        Assert.Equal(added.Select(kernel => kernel.Source).Where(source => source.StartsWith("training/", StringComparison.Ordinal)).Distinct().Order(), cases.Select(item => item.Definition.Source).Distinct().Order());
        using KernelBenchmark benchmark = KernelBenchmark.Open();
        KernelBenchReport report = benchmark.Measure(cases, new KernelBenchPlan { Storage = DType.BF16, IsQuick = true, Repetitions = 1 }, null, TestContext.Current.CancellationToken);
        Assert.Equal(cases, report.Timings.Select(timing => timing.Case));
    }

    [Fact]
    public void Insufficient_memory_error_states_the_sizes()
    {
        if (!device.Context.Device.Name.StartsWith("Emulated", StringComparison.Ordinal))
            Assert.Skip("only the emulated device has a configurable size");
        (int exitCode, string output) = Run("900", "--filter", "linear_decode 92544x4096, f32 out, 1 row");
        Assert.Equal(1, exitCode);
        Assert.Matches("^xc2: not enough memory: 'read_stream 1024 MiB' needs [0-9]+ MiB of device memory, Emulated device, .* has [0-9]+ MiB free; close what else uses it", output);
    }

    [Fact]
    public void Failed_launch_error_names_its_case()
    {
        Assert.NotNull(device.Context);
        CaseMemory memory = new();
        long values = memory.Zeros(16);
        KernelCase item = KernelCase.Create(
            "with too many threads", new ReadStream(), new LaunchGeometry(1, 2048), new KernelCost(1, 0), memory,
            start => new ReadStreamArguments(start + values, start + values, 1));
        using KernelBenchmark benchmark = KernelBenchmark.Open();
        KernelBenchPlan plan = new() { Storage = DType.F16, IsQuick = true, Repetitions = 1 };
        KernelBenchException failure = Assert.Throws<KernelBenchException>(() => benchmark.Measure([item], plan, null, TestContext.Current.CancellationToken));
        Assert.StartsWith("'read_stream with too many threads': cuLaunchKernelEx", failure.Message, StringComparison.Ordinal);
    }

    private static ModelConfig DemoConfig()
    {
        using Checkpoint checkpoint = CheckpointFolder.Open(demo);
        return checkpoint.Config;
    }

    private (int ExitCode, string Output) Run(string? memory, params ReadOnlySpan<string> arguments)
    {
        Assert.NotNull(device.Context);
        Dictionary<string, string?> environment = new() { ["XC2_CACHE"] = DeviceLibraries.KernelCache() };
        if (memory is not null) environment["XC2_EMULATED_MEMORY_MB"] = memory;
        ProgramRun run = ProgramRun.Start(environment, ["bench", "kernels", .. arguments]);
        return (run.ExitCode, run.All);
    }
}
