using System.Text.Json;
using XComposer2.Native.Cli;
using XComposer2.Native.Model;
using Xunit;

namespace XComposer2.Native.UnitTests;

public sealed class ModelVerifierTests
{
    [Fact]
    public async Task Verify_needs_nothing_but_a_clone()
    {
        using CliHarness xc2 = new();
        xc2.Variables.Clear();

        Assert.Equal(ExitCode.Done, await xc2.RunAsync("verify", "--device", "cpu"));
        Assert.Contains("All 24 stages are within", xc2.Output, StringComparison.Ordinal);
        Assert.Contains("golden, bf16; cpu", xc2.Output, StringComparison.Ordinal);
    }

    /// <summary>The script itself needs PyTorch: it was run once on the demo in PyTorch 1.13, and all 29 stages passed (tools/golden/README.md).</summary>
    [Fact]
    public void Golden_script_records_every_tensor()
    {
        string script = File.ReadAllText(TestPaths.Repository("tools/golden/make_golden.py"));
        using JsonDocument header = JsonDocument.Parse(HeaderOf(TestPaths.Golden("checkpoint/golden.safetensors")));

        foreach (JsonProperty tensor in header.RootElement.EnumerateObject().Where(tensor => tensor.Name != "__metadata__"))
            Assert.Contains(tensor.Name.Contains('.') ? $"\"{{name}}.{tensor.Name.Split('.')[1]}\"" : $"\"{tensor.Name}\"", script.Replace("f\"", "\"", StringComparison.Ordinal), StringComparison.Ordinal);
    }

    private static byte[] HeaderOf(string path)
    {
        byte[] file = File.ReadAllBytes(path);
        return file[8..(8 + (int)BitConverter.ToInt64(file, 0))];
    }

    [Theory]
    [InlineData("gqa-head64-fp32", 3)]
    [InlineData("mqa-head128-bf16", 3)]
    [InlineData("fp16-torch-bin", 3)]
    [InlineData("gptq-4bit-128g", 2)]
    public void Golden_checkpoints_pass(string folder, int prompts)
    {
        var options = new VerificationOptions { ModelPath = TestPaths.Shared($"golden/{folder}"), Device = new DeviceOptions { Kind = DeviceKind.Cpu } };
        VerificationReport report = ModelVerifier.Run(options, null, TestContext.Current.CancellationToken);
        foreach (StageResult stage in report.Stages)
            Assert.True(stage.Passed, stage.ToString());
        Assert.True(report.Passed);

        // Position table, three vision states, features, projector; per prompt: embeddings, two layers, logits, step logits, ids.
        Assert.Equal(6 + (6 * prompts), report.Stages.Count);
        Assert.Equal(prompts, report.Stages.OfType<IdStage>().Count(stage => stage.Expected.Count == 12));
    }
}
