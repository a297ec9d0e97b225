using System.Text.Json;
using XComposer2.Native.Cli;
using XComposer2.Native.Cuda;
using XComposer2.Native.Kernels;
using XComposer2.Native.Model;
using Xunit;

namespace XComposer2.Native.UnitTests;

public sealed class KernelsCommandTests : IDisposable
{
    private const string Preset = "internlm-xcomposer2-vl-7b";

    private static readonly string demo = TestPaths.Repository("tools/demo/checkpoint");

    private readonly string folder = Directory.CreateTempSubdirectory("xc2-kernels-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public async Task All_kernels_are_listed_for_all_architectures()
    {
        string root = TestPaths.Repository("kernels");
        string[] files = [.. Directory.GetFiles(root, "*.cu", SearchOption.AllDirectories).Select(file => Path.GetRelativePath(root, file).Replace('\\', '/')).Order(StringComparer.Ordinal)];
        foreach (string[] model in (string[][])[["--preset", Preset], ["--model", demo]])
        {
            JsonElement json = await RunJsonAsync(ExitCode.Done, ["kernels", "list", "--json", .. model]);
            Assert.Equal(model[1], json.GetProperty("model").GetString());
            JsonElement[] kernels = [.. json.GetProperty("kernels").EnumerateArray()];
            // Panels are of weights in groups of columns; training compiles its kernels when it begins.
            Assert.Equal(files.Where(file => file != "gemm/dequantize.cu" && !file.StartsWith("training/", StringComparison.Ordinal)), kernels.Select(kernel => kernel.GetProperty("source").GetString()));
            Assert.All(kernels, kernel => Assert.Equal(Path.GetFileNameWithoutExtension(kernel.GetProperty("source").GetString()), kernel.GetProperty("name").GetString()));
            string[] all = ["sm_75", "sm_80", "sm_86", "sm_89", "sm_90a"];
            Assert.All(kernels, kernel => Assert.Equal(
                kernel.GetProperty("name").GetString() switch
                {
                    "linear_wgmma" or "lora_down_wgmma" => all[^1..],
                    "lora_down" => all[..^1],
                    _ => all,
                },
                kernel.GetProperty("serves").EnumerateArray().Select(target => target.GetString())));
            Assert.All(kernels, kernel => Assert.True(kernel.GetProperty("specialisations").GetInt32() > 0));
        }
    }

    [Fact]
    public async Task Text_list_shows_forms_and_architectures()
    {
        using CliHarness xc2 = new();

        Assert.Equal(ExitCode.Done, await xc2.RunAsync("kernels", "list", "--preset", Preset, "--arch", "sm_86,sm_90a", "--kernel", "sample_token"));
        Assert.Equal($"kernels of {Preset}\n  sampling/sample_token.cu               1 form    sm_86 sm_90a\n", xc2.Output);
    }

    /// <summary>Applies to the decoder's linears only.</summary>
    [Fact]
    public async Task Quantised_weights_have_separate_linears()
    {
        KernelSelection stored = Select(WeightQuantization.None), int8 = Select(WeightQuantization.Int8);
        string[] before = Specialisations(stored), after = Specialisations(int8);
        // The head is not quantised; it has four forms with a preceding norm, by the number of rows, and one without.
        Assert.Equal(5, after.Count(text => text.StartsWith("linear_decode", StringComparison.Ordinal) && text.Contains("WEIGHT_INT8=0", StringComparison.Ordinal)));
        // Integers have no form for 32 rows.
        string[] replaced = [.. after.Select(text => text.Replace("WEIGHT_INT8=1", "WEIGHT_INT8=0", StringComparison.Ordinal))];
        Assert.Empty(replaced.Except(before));
        Assert.All(before.Except(replaced), text => Assert.Contains("ROW_GROUPS=4", text, StringComparison.Ordinal));
        // Of the packed projection there are two, one for each cache.
        Assert.Equal(13, after.Count(text => text.StartsWith("linear_decode", StringComparison.Ordinal) && text.Contains("WEIGHT_INT8=1", StringComparison.Ordinal)));
        Assert.DoesNotContain(after, text => text.Contains("WEIGHT_INT8=1", StringComparison.Ordinal) && !text.StartsWith("linear_", StringComparison.Ordinal));

        JsonElement json = await RunJsonAsync(ExitCode.Done, "kernels", "list", "--preset", Preset, "--weights", "int8", "--arch", "sm_80", "--json");
        Assert.Equal(after.Length, json.GetProperty("kernels").EnumerateArray().Sum(kernel => kernel.GetProperty("specialisations").GetInt32()));

        static KernelSelection Select(WeightQuantization quantization) => new(KernelModel.OpenAll(null, Preset), null, quantization, [CudaTarget.Parse("sm_80")], []);

        static string[] Specialisations(KernelSelection selection) => [.. selection.Find().Select(kernel => $"{kernel.Definition.Entry} {kernel.Specialisation}")];
    }

    [Fact]
    public async Task Compiled_kernels_are_reused()
    {
        Assert.NotEmpty(NvidiaLibraries.Compiler);
        string[] compile = ["kernels", "compile", "--preset", Preset, "--arch", "sm_80,sm_90a", "--kernel", "select_patches", "--kernel", "sample_token", "--out", folder, "--json"];
        JsonElement first = await RunJsonAsync(ExitCode.Done, compile), second = await RunJsonAsync(ExitCode.Done, compile);
        Assert.Equal((4, 4), (first.GetProperty("kernels").GetInt32(), first.GetProperty("compiled").GetInt32()));
        Assert.Equal((4, 0), (second.GetProperty("kernels").GetInt32(), second.GetProperty("compiled").GetInt32()));
        Assert.Equal(first.GetProperty("bytes").GetInt64(), second.GetProperty("bytes").GetInt64());
        // XC2_CACHE is searched here.
        Assert.Equal(4, Directory.GetFiles(Path.Combine(folder, "cubins"), "*.cubin").Length);
    }

    /// <summary>Ahead-of-time compilation defaults to a published model, not the demo.</summary>
    [Fact]
    public async Task Default_model_is_the_7B_and_is_named()
    {
        Assert.NotEmpty(NvidiaLibraries.Compiler);
        using CliHarness scripts = new(), people = new();
        scripts.Variables.Clear();
        people.Variables.Clear();
        Assert.Equal(ExitCode.Done, await scripts.RunAsync("kernels", "compile", "--arch", "sm_80", "--kernel", "embed_tokens", "--out", folder, "--json"));
        Assert.Equal(Preset, JsonDocument.Parse(scripts.Output).RootElement.GetProperty("model").GetString());
        KernelSelection selection = new(KernelModel.OpenAll(null, Preset), null, WeightQuantization.None, [CudaTarget.Parse("sm_80")], ["embed_tokens"]);
        Assert.Equal("COLUMNS=4096 STORAGE=bf16", Assert.Single(selection.Find()).Specialisation);

        Assert.Equal(ExitCode.Done, await people.RunAsync("kernels", "compile", "--arch", "sm_80", "--kernel", "embed_tokens", "--out", folder));
        Assert.StartsWith($"1 kernel of {Preset} in {Path.Combine(folder, "cubins")}, ", people.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Kernels_of_all_presets_are_compiled_once()
    {
        JsonElement all = await RunJsonAsync(ExitCode.Done, "kernels", "list", "--preset", "all", "--arch", "sm_80", "--json");
        Assert.Equal(string.Join(", ", ModelPresets.Names), all.GetProperty("model").GetString());
        HashSet<KernelDefinition> each = [.. ModelPresets.Names.SelectMany(name => ModelCatalog.KernelsOf(ModelPresets.Find(name), Graph.DType.BF16, new ComputeCapability(8, 0)))];
        Assert.Equal(each.Count, all.GetProperty("kernels").EnumerateArray().Sum(kernel => kernel.GetProperty("specialisations").GetInt32()));
    }

    [Fact]
    public async Task Inspection_states_resource_use()
    {
        Assert.NotEmpty(NvidiaLibraries.Compiler);
        JsonElement json = await RunJsonAsync(ExitCode.Done, "kernels", "inspect", "--preset", Preset, "--arch", "sm_75,sm_80", "--kernel", "patch_embedding", "--json");
        JsonElement[] kernels = [.. json.GetProperty("kernels").EnumerateArray()];
        // Tensor cores before 8.0 do not support bf16.
        Assert.Equal([("sm_75", "f16"), ("sm_80", "bf16")], kernels.Select(kernel => (kernel.GetProperty("target").GetString(), kernel.GetProperty("specialisation").GetString()!.Split(' ')[0]["STORAGE=".Length..])));
        foreach (JsonElement kernel in kernels)
        {
            Assert.EndsWith("IMAGE_SIZE=490 PATCH_SIZE=14 WIDTH=1024", kernel.GetProperty("specialisation").GetString(), StringComparison.Ordinal);
            Assert.Equal(128, kernel.GetProperty("threads").GetInt32());
            Assert.InRange(kernel.GetProperty("registers").GetInt32(), 32, 255);
            Assert.Equal(10240, kernel.GetProperty("shared_bytes").GetInt32());
            Assert.Equal((0, 0), (kernel.GetProperty("stack_bytes").GetInt32(), kernel.GetProperty("spill_bytes").GetInt32()));
        }
    }

    [Theory]
    [InlineData("xc2: --out is missing: the folder to fill", "compile")]
    [InlineData("xc2: --arch must be generations like sm_86, sm_90a, with commas between them, 75 or newer, not 'sm_70'", "list", "--arch", "sm_80,sm_70")]
    [InlineData("xc2: --arch must be generations like sm_86, sm_90a, with commas between them, 75 or newer, not ''", "list", "--arch", "sm_80,")]
    [InlineData("xc2: --arch: compute_90 is not machine code, and has no registers yet", "inspect", "--arch", "sm_80,compute_90", "--preset", Preset)]
    [InlineData("xc2: --storage bf16 needs compute capability 8.0 or newer, not 7.5", "list", "--storage", "bf16", "--preset", Preset)]
    [InlineData("xc2: --kernel must be one of ", "list", "--kernel", "nope", "--preset", Preset)]
    [InlineData("xc2: --preset must be internlm-xcomposer2-vl-7b or ", "list", "--preset", "8b")]
    [InlineData("xc2: --model and --preset exclude each other", "list", "--preset", Preset, "--model", "m")]
    public async Task Wrong_usage_states_expected_values(string message, params string[] args)
    {
        using CliHarness xc2 = new();

        Assert.Equal(ExitCode.Usage, await xc2.RunAsync(["kernels", .. args]));
        Assert.StartsWith(message, xc2.Error, StringComparison.Ordinal);
        Assert.Equal("", xc2.Output);
    }

    private static async Task<JsonElement> RunJsonAsync(int exitCode, params string[] args)
    {
        using CliHarness xc2 = new();
        int found = await xc2.RunAsync(args);
        Assert.True(exitCode == found, xc2.Error);
        return JsonDocument.Parse(xc2.Output).RootElement;
    }
}
