using System.Diagnostics;
using XComposer2.Native.Cli;
using XComposer2.Native.UnitTests;
using Xunit;

namespace XComposer2.Native.BatchTests;

/// <summary>Runs that are killed, stopped, or run out of disk, and are resumed.</summary>
public sealed class KilledRunTests : IDisposable
{
    private const int Pictures = 300, Kills = 20;

    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task Run_killed_at_random_moments_and_resumed_has_the_files_of_an_unbroken_one()
    {
        string unbroken = Prepare("unbroken"), killed = Prepare("killed");
        await BatchProgram.SucceedAsync(Arguments(unbroken));
        var random = new Random(11);
        int inTheMiddle = 0;
        for (int kill = 0; kill < Kills; kill++)
        {
            using Process run = BatchProgram.Start([.. Arguments(killed), "--resume"]);
            int lines = Lines(killed) + random.Next(1, 9);
            // Some before the model is loaded, most of them among the answers: by what is written, because machines differ in speed.
            if (kill % 5 == 0)
                await Task.Delay(random.Next(0, 400), TestContext.Current.CancellationToken);
            else
                await UntilAsync(() => Lines(killed) >= lines || run.HasExited);
            run.Kill();
            await run.WaitForExitAsync(TestContext.Current.CancellationToken);
            inTheMiddle += Lines(killed) is > 0 and < Pictures ? 1 : 0;
        }

        Assert.InRange(inTheMiddle, 5, Kills);
        await BatchProgram.SucceedAsync([.. Arguments(killed), "--resume"]);
        foreach (string file in Directory.EnumerateFiles(unbroken, "*", SearchOption.AllDirectories).Where(file => !file.EndsWith(".run.json", StringComparison.Ordinal)))
            Assert.Equal(File.ReadAllText(file).Replace(unbroken, killed, StringComparison.Ordinal), File.ReadAllText(Path.Combine(killed, Path.GetRelativePath(unbroken, file))));
        Assert.Equal(Pictures - 1, Directory.EnumerateFiles(Path.Combine(killed, "pictures"), "*.txt").Count());
        Assert.Equal(Pictures, Lines(killed));
    }

    [Fact]
    public async Task Interrupt_ends_the_run_and_says_how_it_goes_on()
    {
        if (OperatingSystem.IsWindows()) Assert.Skip("signals are those of Unix");
        string root = Prepare("stopped");
        using Process run = BatchProgram.Start(Arguments(root));
        await UntilAsync(() => Lines(root) > 0 || run.HasExited);
        using (Process signal = Process.Start("kill", ["-INT", $"{run.Id}"]))
            await signal.WaitForExitAsync(TestContext.Current.CancellationToken);
        string error = await run.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        await run.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.Equal(ExitCode.Interrupted, run.ExitCode);
        Assert.Equal($"xc2: stopping; --resume continues with {Path.Combine(root, "out.jsonl")}\n", error);
        Assert.InRange(Lines(root), 1, Pictures - 1);
    }

    [Fact]
    public async Task Full_disk_is_named_and_the_run_can_be_resumed()
    {
        if (!OperatingSystem.IsLinux()) Assert.Skip("the limit of file sizes is that of Linux");
        string root = Prepare("full"), unbroken = Prepare("roomy");
        // The limit of file sizes stands for a disk: of 4 blocks of 1024 bytes.
        ProcessStartInfo start = new("bash", ["-c", "trap '' XFSZ; ulimit -f 4; exec dotnet \"$0\" \"$@\"", Path.Combine(AppContext.BaseDirectory, "xc2.dll"), "batch", .. Arguments(root), "--model", TestPaths.Repository("tools/demo/checkpoint"), "--device", "cpu"]) { RedirectStandardError = true };
        start.Environment["DOTNET_EnableWriteXorExecute"] = "0";
        using (Process run = Process.Start(start)!)
        {
            string error = await run.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
            await run.WaitForExitAsync(TestContext.Current.CancellationToken);
            Assert.Equal(ExitCode.Failed, run.ExitCode);
            Assert.StartsWith($"xc2: {Path.Combine(root, "out.jsonl")}: cannot be written", error, StringComparison.Ordinal);
        }

        Assert.InRange(Lines(root), 1, Pictures - 1);
        await BatchProgram.SucceedAsync([.. Arguments(root), "--resume"]);
        await BatchProgram.SucceedAsync(Arguments(unbroken));
        Assert.Equal(File.ReadAllText(Path.Combine(unbroken, "out.jsonl")).Replace(unbroken, root, StringComparison.Ordinal), File.ReadAllText(Path.Combine(root, "out.jsonl")));
    }

    private static string[] Arguments(string root) => [Path.Combine(root, "pictures"), "--captions", "--seed", "5", "--max-tokens", "8", "--out", Path.Combine(root, "out.jsonl")];

    private static int Lines(string root)
    {
        string path = Path.Combine(root, "out.jsonl");
        if (!File.Exists(path))
            return 0;
        using FileStream file = new(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        byte[] bytes = new byte[file.Length];
        return bytes.AsSpan(0, file.Read(bytes)).Count((byte)'\n');
    }

    private static async Task UntilAsync(Func<bool> holds)
    {
        for (long start = Environment.TickCount64; !holds() && Environment.TickCount64 - start < 30_000;)
            await Task.Delay(5, TestContext.Current.CancellationToken);
    }

    private string Prepare(string name)
    {
        string root = folder.File(name), pictures = Path.Combine(root, "pictures");
        Directory.CreateDirectory(pictures);
        for (int number = 0; number < Pictures - 1; number++)
            File.Copy(TestInputs.Picture((number % 6) + 1), Path.Combine(pictures, $"{number:D3}.png"));
        File.WriteAllText(Path.Combine(pictures, "broken.jpg"), "no picture");
        return root;
    }
}
