using System.Text.RegularExpressions;
using XComposer2.Native.Cuda;
using XComposer2.Native.Kernels;
using Xunit;

namespace XComposer2.Native.KernelCompileTests;

/// <summary>The compiler says it in a line of information, not in a warning, when it waits behind every wgmma (C7510 to C7515), ignores setmaxnreg (C7508) or
/// has no registers for an instruction (C7600): the kernel is right and slow.</summary>
public sealed partial class SerializedWgmmaTests
{
    private const string Sample = "planted_pipeline.cu";

    /// <summary>The sample waits for the block of K before the last one: NVRTC 12.4 gives up on that, and takes the same kernel without it.</summary>
    [Theory]
    [InlineData(0, false)]
    [InlineData(1, true)]
    public void A_serialised_sample_is_told_from_one_that_is_not(int pending, bool isSerialised)
    {
        string log = Compile($"-DPENDING={pending}");
        Assert.True(Complaints(log).Any() == isSerialised, log);
    }

    [Theory]
    [InlineData("ptxas info    : (C7510) Potential Performance Loss", true)]
    [InlineData("ptxas info    : (C7515) Potential Performance Loss", true)]
    [InlineData("ptxas info    : (C7508) Potential Performance Loss: 'setmaxnreg' ignored", true)]
    [InlineData("ptxas info    : (C7600) no registers", true)]
    [InlineData("ptxas info    : Used 168 registers, 1024 bytes smem", false)]
    public void Lines_of_the_log_are_told_apart(string line, bool isComplaint) => Assert.Equal(isComplaint, Complaints(line).Any());

    /// <summary>The lines of a log that say so.</summary>
    internal static IEnumerable<string> Complaints(string log) => log.Split('\n').Where(line => Complaint().IsMatch(line));

    private static string Compile(string definition)
    {
        KernelProgram program = KernelProgram.Read(new SampleSource(), Sample);
        return CompilerLibrary.Load().Compile(program, CudaTarget.Parse("sm_90a"), ["-DMISTAKE=0", definition, KernelResources.Option]).Log;
    }

    [GeneratedRegex(@"\(C75(08|1[0-5])\)|\(C7600\)")]
    private static partial Regex Complaint();

    private sealed class SampleSource : IKernelSource
    {
        private readonly FolderKernelSource samples = new(TestPaths.Repository("tests", "EmulatedDeviceTests", "Kernels"));
        private readonly FolderKernelSource kernels = new(TestPaths.Repository("kernels"));

        public string Description => $"{samples.Description} and {kernels.Description}";

        public string? Read(string path) => samples.Read(path) ?? kernels.Read(path);
    }
}
