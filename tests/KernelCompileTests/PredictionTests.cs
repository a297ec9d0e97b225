using System.Diagnostics;
using System.Globalization;
using XComposer2.Native.Cuda;
using XComposer2.Native.Graph;
using XComposer2.Native.Kernels;
using XComposer2.Native.Model;
using XComposer2.Native.Planning;
using Xunit;

namespace XComposer2.Native.KernelCompileTests;

/// <summary>What the 7B's steps should take on GPUs that are not here, as <c>kernels/PREDICTIONS.md</c>.</summary>
public sealed class PredictionTests(CompiledMatrix matrix) : IClassFixture<CompiledMatrix>
{
    private const string WriteVariable = "XC2_WRITE_PREDICTIONS";

    private const double Tolerance = 1.05;

    private const string Introduction = """
        # Predictions

        **Predicted from machine code, not measured.** What the steps of the 7B should take, launch by launch, with kernels as NVRTC 12.4 compiles them and
        nvdisasm reads them. A prediction is the largest of four times, and the boundary to the launch before: bytes over the bandwidth that a streaming kernel
        reaches, or that the bytes in flight allow; products over the rate of tensor cores; instructions over four a clock and multiprocessor; bytes of shared
        memory over 128 a clock. The last three are stretched to whole waves of blocks. Instructions are those of the loop with the most products or reads; padding
        of the last tile, divergence and conflicts are not in it. The figures of the GPUs are in `GpuModel`.

        Written by `XC2_WRITE_PREDICTIONS=1 dotnet run --project tests/KernelCompileTests -c Release`. The tests compare it: a launch that gets slower by over
        5 % fails. `xc2 kernels predict` prints the same for other models.

        """;

    [Fact]
    public void No_launch_is_predicted_to_be_slower_than_in_the_table()
    {
        string path = TestPaths.Repository("kernels", "PREDICTIONS.md");
        string found = Introduction.ReplaceLineEndings("\n") + PredictionTable.Write(
            ModelPresets.VisionLanguage7B, ModelPresets.Find(ModelPresets.VisionLanguage7B), DType.BF16, GpuModel.All, matrix.Compile, FindDisassembler());
        if (matrix.CompilerVersion != RegisterTable.CompilerVersion)
            Assert.Skip($"the table is of NVRTC {RegisterTable.CompilerVersion}, this is {matrix.CompilerVersion}");
        if (Environment.GetEnvironmentVariable(WriteVariable) is not null)
        {
            File.WriteAllText(path, found);
            return;
        }

        string table = File.ReadAllText(path);
        Dictionary<string, double> before = Times(table);
        string[] slower = [.. Times(found).Where(launch => before.TryGetValue(launch.Key, out double time) && launch.Value > Tolerance * time).Select(launch => $"{launch.Key}: {before[launch.Key]} -> {launch.Value} us")];
        Assert.True(slower.Length == 0, $"predicted to be over 5 % slower:\n{string.Join('\n', slower)}");
        Assert.True(found == table, $"{path} is out of date: {WriteVariable}=1 dotnet run --project tests/KernelCompileTests -c Release");
    }

    // Of every row: the GPU, the step and the launch, without the step's own time.
    private static Dictionary<string, double> Times(string table)
    {
        Dictionary<string, double> times = [];
        string gpu = "", step = "";
        foreach (string line in table.Split('\n'))
        {
            string[] cells = line.Split('|', StringSplitOptions.TrimEntries);
            if (line.StartsWith("### ", StringComparison.Ordinal))
                step = line[4..line.LastIndexOf(':')];
            else if (line.StartsWith("## ", StringComparison.Ordinal))
                gpu = line[3..];
            else if (cells.Length > 10 && double.TryParse(cells[10], NumberStyles.Float, CultureInfo.InvariantCulture, out double time))
                times.Add($"{gpu}, {step}, {cells[1]}", time);
        }

        return times;
    }

    private static Disassembler FindDisassembler()
    {
        string? named = Environment.GetEnvironmentVariable(Disassembler.VariableName);
        try
        {
            return Disassembler.Find(named, AppContext.BaseDirectory);
        }
        catch (FileNotFoundException) when (named is null && OperatingSystem.IsLinux())
        {
            using Process fetch = Process.Start(new ProcessStartInfo(TestPaths.Repository("tools", "nvrtc", "install.sh"), ["--disassembler"]) { RedirectStandardError = true })!;
            string errors = fetch.StandardError.ReadToEnd();
            fetch.WaitForExit();
            if (fetch.ExitCode != 0)
                Assert.Skip($"nothing was predicted: nvdisasm is not here, and tools/nvrtc/install.sh could not fetch it: {errors.Trim()}");
            return Disassembler.Find(null, AppContext.BaseDirectory);
        }
    }
}
