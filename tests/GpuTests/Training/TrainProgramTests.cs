using System.Text.Json;
using Xunit;

namespace XComposer2.Native.GpuTests;

/// <summary><c>xc2 train --device cuda</c> as a process.</summary>
public sealed class TrainProgramTests(GpuDevice device) : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("xc2-gpu-train-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void Steps_and_scores_of_held_out_samples_are_those_of_the_processor()
    {
        device.Require("bf16");
        string data = Path.Combine(folder, "texts.jsonl");
        File.WriteAllLines(data, Enumerable.Range(3, 2).Select(i => $$"""{"conversations": [{"from": "user", "value": "Count to {{i}}."}, {"from": "assistant", "value": "{{string.Join(' ', Enumerable.Range(1, i))}}"}]}"""));
        JsonElement[] expected = Train(data, "cpu"), found = Train(data, "f32", "--device", "cuda", "--storage", "f32"), rounded = Train(data, "bf16", "--device", "cuda");
        Assert.Equal(expected.Length, found.Length);
        for (int i = 0; i < expected.Length; i++)
            foreach (JsonProperty value in expected[i].EnumerateObject().Where(value => value.Name.Contains("loss", StringComparison.Ordinal) || value.Name.Contains("exact", StringComparison.Ordinal)))
            {
                Assert.Equal(value.Value.GetDouble(), found[i].GetProperty(value.Name).GetDouble(), 1e-4);
                Assert.Equal(value.Value.GetDouble(), rounded[i].GetProperty(value.Name).GetDouble(), 0.05);
            }
    }

    [Theory]
    [InlineData("xc2: --storage is for --device cuda", "--storage", "f32")]
    [InlineData("xc2: --threads is for --device cpu", "--device", "cuda", "--threads", "2")]
    public void Options_of_the_other_device_are_refused(string message, params string[] options)
    {
        var run = ProgramRun.Start("forward", null, ["train", "--recipe", "lora", "--data", "x.json", "--out", folder, .. options]);
        Assert.Equal(2, run.ExitCode);
        Assert.Contains(message, run.Errors, StringComparison.Ordinal);
    }

    private JsonElement[] Train(string data, string name, params string[] options)
    {
        string output = Path.Combine(folder, name);
        var run = ProgramRun.Start("forward", null, ["train", "--recipe", "lora", "--rank", "4", "--data", data, "--held-out", data, "--evaluate-every", "2", "--accumulate", "2", "--steps", "2", "--out", output, .. options]);
        Assert.True(run.ExitCode == 0, run.All);
        Assert.True(File.Exists(Path.Combine(output, "result", "adapter_model.safetensors")), run.All);
        return [.. File.ReadLines(Path.Combine(output, "metrics.jsonl")).Select(line => JsonDocument.Parse(line).RootElement)];
    }
}
