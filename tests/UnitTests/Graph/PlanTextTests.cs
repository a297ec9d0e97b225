using XComposer2.Native.Graph;
using Xunit;

namespace XComposer2.Native.UnitTests;

/// <summary>Golden tests of printed plans. After an intended change, run with <c>XC2_WRITE_GOLDEN=1</c> and review the diff of tests/golden/plans.</summary>
public sealed class PlanTextTests
{
    [Fact]
    public void Plan_of_a_small_prefill() => Matches(
        "small-prefill.txt",
        MemoryPlanner.Plan(SampleGraphs.Decoder(DecoderSizes.Tiny, 31, 2, 9), operation => operation is LinearOp { Lora: not null } ? 31 * 4 * 4 : 0));

    [Fact]
    public void Plan_of_a_small_decode() => Matches("small-decode.txt", MemoryPlanner.Plan(SampleGraphs.Decoder(DecoderSizes.Tiny, 1, 1, 0)));

    [Fact]
    public void Plan_of_a_small_vision_tower() => Matches("small-vision.txt", MemoryPlanner.Plan(SampleGraphs.Vision(VisionSizes.Tiny, 3)));

    private static void Matches(string file, ExecutionPlan plan)
    {
        string text = PlanText.Write(plan);
        string path = Path.Combine(TestPaths.RepositoryRoot, "tests", "golden", "plans", file);
        if (Environment.GetEnvironmentVariable("XC2_WRITE_GOLDEN") == "1")
        {
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            File.WriteAllText(path, text);
        }

        Assert.Equal(File.ReadAllText(TestPaths.Golden("plans/" + file)), text, ignoreLineEndingDifferences: true);
    }
}
