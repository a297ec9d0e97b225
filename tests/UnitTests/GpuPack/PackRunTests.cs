using System.Text.Json;
using Xunit;

namespace XComposer2.Native.UnitTests;

/// <summary>What <c>tools/gpu/run.sh</c> does around the programs of the pack.</summary>
public sealed class PackRunTests : IDisposable
{
    private readonly PackTree pack = new();

    public void Dispose() => pack.Dispose();

    [Fact]
    public void Only_the_named_steps_run()
    {
        ProcessResult run = pack.Run(["verify", "demo"]);
        Assert.Equal(0, run.ExitCode);
        Assert.Equal(5, pack.Asked.Count);
        Assert.All(pack.Asked.Take(3), call => Assert.StartsWith($"xc2 verify --model {pack.Root}/shared/golden/some/ --device cuda --storage ", call, StringComparison.Ordinal));
        Assert.All(pack.Asked.Skip(3), call => Assert.StartsWith("xc2 chat --model ", call, StringComparison.Ordinal));
        Assert.Equal("{\"total_bytes\":1}\n", pack.Result("verify-some-bf16.json"));
    }

    [Fact]
    public void A_step_that_fails_does_not_keep_the_others_from_running()
    {
        ProcessResult run = pack.Run(["verify", "demo"], ("FAKE_FAILS", "--storage f16"));
        Assert.Equal(1, run.ExitCode);
        Assert.Equal(5, pack.Asked.Count);
        JsonElement summary = JsonDocument.Parse(pack.Result("summary.json")).RootElement;
        Assert.Equal(("c0ffee", true, false), (summary.GetProperty("commit").GetString(), summary.GetProperty("failed").GetBoolean(), summary.GetProperty("quick").GetBoolean()));
        Assert.Equal(
            ["verify-some-bf16 ok", "verify-some-f16 exit 1", "verify-some-f32 ok", "demo-cpu ok", "demo-cuda ok", "demo-answers same"],
            summary.GetProperty("steps").EnumerateArray().Select(step => $"{step.GetProperty("step").GetString()} {step.GetProperty("outcome").GetString()}"));
        Assert.Contains("it broke", run.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void Two_answers_to_one_question_are_a_failure()
    {
        // The processor's answer stays; the card's becomes another.
        pack.AddProgram("head", "#!/bin/sh\ncase \"$3\" in *cuda.log) echo square ;; *) exec /usr/bin/head \"$@\" ;; esac\n");
        Assert.Equal(1, pack.Run(["demo"]).ExitCode);
        Assert.Contains("DIFFER", pack.Result("summary.txt"), StringComparison.Ordinal);
    }

    [Fact]
    public void Time_that_is_over_is_said()
    {
        ProcessResult run = pack.Run(["-t", "8", "verify", "model"], ("FAKE_HANGS", "--storage bf16"));
        Assert.Equal(1, run.ExitCode);
        string[] lines = pack.Result("summary.txt").Split('\n');
        Assert.Matches("^verify-some-bf16 +over [78] s", lines[0]);
        Assert.All(lines.Where(line => line.StartsWith("model-", StringComparison.Ordinal)), line => Assert.Matches("^model-[^ ]+ +NOT BEGUN", line));
        Assert.Single(pack.Asked);
    }

    [Fact]
    public void Bench_and_model_leave_json_and_figures()
    {
        ProcessResult run = pack.Run(["bench", "model"]);
        Assert.True(run.ExitCode == 0, run.Output + run.Error);
        Assert.Contains("xc2 bench kernels --preset internlm-xcomposer2-vl-7b --json ", pack.Asked[0], StringComparison.Ordinal);
        Assert.Contains(" --l2 written ", pack.Asked[1], StringComparison.Ordinal);
        Assert.Contains("bench decode --preset internlm-xcomposer2-vl-7b --images 1 --tokens 75 --steps 256 --samples 5 --device cuda --json", pack.Asked[3], StringComparison.Ordinal);
        string summary = pack.Result("summary.txt");
        Assert.Contains("limits: 2000.5 GB/s read, 300.25 TFLOP/s by mma.sync, on card", summary, StringComparison.Ordinal);
        Assert.Contains("farthest from the limit\n  linear_decode\n", summary, StringComparison.Ordinal);
        // 15 GB in 10 ms.
        Assert.Contains(
            "model-7b: picture 4.5 ms, prefill 45.5 ms, first token after 50.0 ms; a generated token 10.000 ms: 1500 GB/s of weights, 0.75 of the read bandwidth\n",
            summary, StringComparison.Ordinal);
        foreach (string line in (string[])
            [
                "model-7b-int8: picture 4.5 ms, ", "model-7b-int4: picture 4.5 ms, ", "model-7b-ttft: first token after 36.5 ms, decoding of the picture included\n",
                "load: the demo's checkpoint is ready after 290.5 ms\n",
            ])
            Assert.Contains(line, summary, StringComparison.Ordinal);
        Assert.Equal(4.5, JsonDocument.Parse(pack.Result("model-7b.json")).RootElement.GetProperty("series")[0].GetProperty("median_ms").GetDouble());
    }

    [Fact]
    public void Memory_in_use_is_watched_where_the_card_can_be_asked()
    {
        pack.AddProgram("nvidia-smi", "#!/bin/sh\necho 20480\n");
        Assert.Equal(0, pack.Run(["model"]).ExitCode);
        Assert.Contains("model-7b: at most 20480 MiB in use on the device; xc2 plan: 0 MiB", pack.Result("summary.txt"), StringComparison.Ordinal);
    }

    [Fact]
    public void Kernels_of_the_pack_lie_beside_the_program_while_they_are_tested()
    {
        Assert.Contains("cubins: SKIPPED, the pack was made without compiled kernels", pack.Run(["cubins"]).Output, StringComparison.Ordinal);
        Directory.CreateDirectory(Path.Combine(pack.Root, "cubins"));
        pack.AddProgram("timeout", "#!/bin/sh\n[ -d \"${3%/*}/cubins\" ] || exit 7\nexec /usr/bin/timeout \"$@\"\n");
        ProcessResult run = pack.Run(["cubins"]);
        Assert.True(run.ExitCode == 0, run.Output + run.Error);
        Assert.Equal(2, pack.Asked.Count);
        Assert.Matches("cubins-compiled-here +0 ", pack.Result("summary.txt"));
        Assert.False(Path.Exists(Path.Combine(pack.Root, "app", "cubins")));
    }

    [Fact]
    public void What_the_machine_has_not_got_is_skipped_aloud()
    {
        ProcessResult run = pack.Run(["peer", "sanitize-racecheck"]);
        if (pack.Asked.Count > 0)
            Assert.Skip("this machine has compute-sanitizer");
        Assert.Equal(0, run.ExitCode);
        Assert.Contains("peer: SKIPPED, the pack was made without --peer", run.Output, StringComparison.Ordinal);
        Assert.Contains("sanitize-racecheck: SKIPPED, compute-sanitizer was not found", run.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void The_sanitizer_runs_each_tool_over_each_group()
    {
        pack.AddProgram("compute-sanitizer", "#!/bin/sh\necho \"sanitizer $*\" >>\"$FAKE_TREE/asked\"\ncase \"$*\" in *racecheck*DemoTests*) exit 9 ;; esac\n");
        Assert.Equal(1, pack.Run(["sanitize"]).ExitCode);
        Assert.Equal(12, pack.Asked.Count);
        foreach (string tool in (string[])["memcheck", "racecheck", "synccheck"])
            Assert.Equal(4, pack.Asked.Count(call => call.StartsWith($"sanitizer --tool {tool} --error-exitcode 9 {pack.Root}/app/GpuTests -noLogo -noColor -class *", StringComparison.Ordinal)));
        Assert.Matches("sanitize-racecheck-engine +exit 9", pack.Result("summary.txt"));
    }

    [Theory]
    [InlineData("unknown step 'benchmark'", "benchmark")]
    [InlineData("-t: expected seconds, found 'ten'", "-t", "ten")]
    [InlineData("unknown option or missing value: -x", "-x")]
    public void Wrong_usage_runs_nothing(string message, params string[] args)
    {
        ProcessResult run = pack.Run(args);
        Assert.Equal(2, run.ExitCode);
        Assert.StartsWith(message, run.Error, StringComparison.Ordinal);
        Assert.Empty(pack.Asked);
    }
}
