using System.Diagnostics;
using XComposer2.Native.Model;
using XComposer2.Native.UnitTests;
using Xunit;

namespace XComposer2.Native.TrainingTests;

/// <summary><c>xc2 train</c> as a process.</summary>
public sealed class TrainProgramTests : IDisposable
{
    private const int Kills = 20;

    private static readonly TimeSpan limit = TimeSpan.FromMinutes(3);

    private readonly string folder = Directory.CreateTempSubdirectory("xc2-train-").FullName;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public async Task Run_that_is_killed_at_random_moments_gives_the_same_adapter_byte_for_byte()
    {
        string texts = Path.Combine(folder, "texts.jsonl"), list = Path.Combine(folder, "data.txt");
        File.WriteAllLines(texts, Enumerable.Range(0, 9).Select(i => $$"""{"conversations": [{"from": "user", "value": "Count to {{i}}."}, {"from": "assistant", "value": "{{string.Join(' ', Enumerable.Range(1, i + 1))}}"}]}"""));
        File.WriteAllText(list, $"{GoldenTraining.PathOf("samples.json")} 3\n{texts} 1\n");
        string[] options =
        [
            "--recipe", "lora", "--rank", "4", "--weights", "int4", "--group", "32", "--data", list, "--mix", "--group-by-length", "--held-out", texts, "--evaluate-every", "20",
            "--accumulate", "2", "--steps", "120", "--save-every", "1", "--seed", "3",
        ];
        (int status, string output, string error) = await FinishAsync(Start("whole", options));
        Assert.True(status == 0, error);
        Assert.EndsWith("result\n", output, StringComparison.Ordinal);
        var random = new Random();
        int killed = 0;
        for (status = -1; status != 0 && killed < Kills;)
        {
            using Process process = Start("killed", options);
            try
            {
                await process.WaitForExitAsync(Cancellation).WaitAsync(TimeSpan.FromMilliseconds(random.Next(250, 600)), Cancellation);
                status = process.ExitCode;
            }
            catch (TimeoutException)
            {
                process.Kill();
                await process.WaitForExitAsync(Cancellation);
                killed++;
            }
        }

        Assert.InRange(killed, 3, Kills);
        if (status != 0)
        {
            (status, _, error) = await FinishAsync(Start("killed", options));
            Assert.True(status == 0, error);
        }

        Assert.Equal(File.ReadAllBytes(Path.Combine(folder, "whole/result/adapter_model.safetensors")), File.ReadAllBytes(Path.Combine(folder, "killed/result/adapter_model.safetensors")));
        Assert.Equal(127, File.ReadLines(Path.Combine(folder, "killed/metrics.jsonl")).Count());
        Assert.Equal(File.ReadAllText(Path.Combine(folder, "whole/curve.svg")), File.ReadAllText(Path.Combine(folder, "killed/curve.svg")));
        using LoraAdapter adapter = LoraAdapter.Open(Path.Combine(folder, "killed/result"));
    }

    [Theory]
    [InlineData("xc2: --recipe is missing: pretrain, sft, finetune, lora", "--data", "x.json", "--out", "y")]
    [InlineData("xc2: --recipe must be pretrain, sft, finetune, lora, not 'dpo'", "--recipe", "dpo", "--data", "x.json", "--out", "y")]
    [InlineData("xc2: --data is missing: a file of conversations", "--recipe", "sft", "--out", "y")]
    [InlineData("xc2: --out is missing: the folder to write", "--recipe", "sft", "--data", "x.json")]
    [InlineData("xc2: --rank is for --recipe lora", "--recipe", "sft", "--data", "x.json", "--out", "y", "--rank", "8")]
    [InlineData("xc2: --mix and --thousands exclude each other", "--recipe", "sft", "--data", "x.txt", "--out", "y", "--mix", "--thousands")]
    [InlineData("xc2: --steps and --epochs exclude each other", "--recipe", "sft", "--data", "x.json", "--out", "y", "--steps", "8", "--epochs", "2")]
    [InlineData("xc2: --evaluate-every is for --held-out", "--recipe", "sft", "--data", "x.json", "--out", "y", "--evaluate-every", "8")]
    [InlineData("xc2: --held-out must be a file or a share over 0 and below 1, not '1.5'", "--recipe", "sft", "--data", "x.json", "--out", "y", "--held-out", "1.5")]
    [InlineData("xc2: weights of integers are for recipes that freeze the language model, pretrain and lora, not sft", "--recipe", "sft", "--data", "x.json", "--out", "y", "--weights", "int4")]
    public async Task Wrong_options_are_named(string message, params string[] options)
    {
        (int status, _, string error) = await FinishAsync(Start(["train", .. options]));
        Assert.Equal(2, status);
        Assert.Equal(message, error.Split('\n')[0]);
    }

    private Process Start(string output, string[] options) =>
        Start(["train", "--model", GoldenTraining.Model, "--out", Path.Combine(folder, output), "--threads", "1", .. options]);

    private static Process Start(string[] arguments)
    {
        string host = Environment.ProcessPath is { } path && Path.GetFileNameWithoutExtension(path) == "dotnet" ? path : "dotnet";
        return Process.Start(new ProcessStartInfo(host, [Path.Combine(AppContext.BaseDirectory, "xc2.dll"), .. arguments])
        {
            RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = TestPaths.RepositoryRoot,
        })!;
    }

    private static async Task<(int Status, string Output, string Error)> FinishAsync(Process started)
    {
        using Process process = started;
        Task<string> output = process.StandardOutput.ReadToEndAsync(Cancellation), error = process.StandardError.ReadToEndAsync(Cancellation);
        await process.WaitForExitAsync(Cancellation).WaitAsync(limit, Cancellation);
        return (process.ExitCode, await output, await error);
    }
}
