using XComposer2.Native.Cuda;
using Xunit;

namespace XComposer2.Native.GpuTests;

/// <summary>What a user reads where the GPU, its compiler or its cache is not as it should be, and what is done instead. On the emulated device,
/// whose memory has the size that a test wants.</summary>
public sealed class DeviceFailureTests(GpuDevice device) : IDisposable
{
    private const string Answer = "Nobody black cross at the top\n";

    private static readonly string demo = RepositoryPaths.Root is null ? "" : RepositoryPaths.Find("tools/demo");

    private readonly string folder = Directory.CreateTempSubdirectory("xc2-failures-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void Without_a_driver_it_says_what_was_tried_and_runs_on_the_processor()
    {
        Dictionary<string, string?> environment = new() { ["XC2_CUDA_DRIVER"] = "/nowhere/libcuda.so.1" };
        ExpectRefusal(environment, "the CUDA driver library was not found (tried only what XC2_CUDA_DRIVER names, /nowhere/libcuda.so.1: no such file). Install an NVIDIA driver");
        ExpectProcessor(environment, "the CUDA driver library was not found");
    }

    [Fact]
    public void With_a_driver_and_no_device_it_says_so_and_runs_on_the_processor()
    {
        string driver = RepositoryPaths.Root is null ? "" : RepositoryPaths.Find("artifacts/nvrtc/driver/libcuda.so.1");
        if (!File.Exists(driver))
            Assert.Skip("the real driver library is not here: tools/nvrtc/install.sh --driver fetches it");
        if (CudaAvailability.Probe(new CudaOptions { DriverLibrary = driver }).Reason != CudaUnavailableReason.NoDevice)
            Assert.Skip("there is a GPU, or another driver's kernel module");
        Dictionary<string, string?> environment = new() { ["XC2_CUDA_DRIVER"] = driver };
        ExpectRefusal(environment, $"the CUDA driver {driver} (CUDA 12.4) finds no device: cuInit returned CUDA_ERROR_NO_DEVICE (100)");
        ExpectProcessor(environment, "finds no device");
    }

    [Fact]
    public void Without_NVRTC_and_compiled_kernels_it_says_what_to_install_and_runs_on_the_processor()
    {
        Dictionary<string, string?> environment = Emulated();
        environment["XC2_CACHE"] = folder;
        environment["XC2_NVRTC"] = "/nowhere/libnvrtc.so.12";
        ExpectRefusal(environment, "no NVRTC library can be used (tried only what XC2_NVRTC names, /nowhere/libnvrtc.so.12: no such file). Kernels are compiled by it: install NVRTC 12");
        ExpectProcessor(environment, "no NVRTC library can be used");
    }

    [Fact]
    public void A_kernel_that_was_not_shipped_is_named_where_it_cannot_be_compiled()
    {
        Dictionary<string, string?> environment = Emulated();
        string some = CopyKernels();
        foreach (string file in Directory.GetFiles(some, "embed_tokens.*"))
            File.Delete(file);
        environment["XC2_CACHE"] = Path.Combine(folder, "own");
        environment["XC2_KERNELS"] = folder;
        environment["XC2_NVRTC"] = "/nowhere/libnvrtc.so.12";
        ExpectRefusal(environment, $"embedding/embed_tokens.cu for sm_{Architecture} has to be compiled (no compiled one is in {some} or ");
        ExpectProcessor(environment, "embedding/embed_tokens.cu for ");
    }

    [Fact]
    public void A_damaged_kernel_is_named_and_compiled_again()
    {
        Dictionary<string, string?> environment = Emulated();
        string copies = CopyKernels();
        foreach (string file in Directory.GetFiles(copies, "embed_tokens.*"))
        {
            byte[] bytes = File.ReadAllBytes(file);
            bytes[bytes.Length / 2] ^= 1;
            File.WriteAllBytes(file, bytes);
        }

        environment["XC2_CACHE"] = folder;
        ProgramRun first = Ask(environment, "cuda", "--verbose");
        Assert.Equal((0, Answer), (first.ExitCode, first.Output));
        string[] lines = first.Errors.Split('\n');
        string notice = Assert.Single(lines, line => line.StartsWith("xc2: ", StringComparison.Ordinal));
        Assert.StartsWith($"xc2: the compiled kernel {Path.Combine(copies, "embed_tokens.")}", notice, StringComparison.Ordinal);
        Assert.EndsWith(" is damaged and not used", notice, StringComparison.Ordinal);
        Assert.Single(lines, line => line.StartsWith("compiling kernels, ", StringComparison.Ordinal));
        ProgramRun second = Ask(environment, "cuda");
        Assert.Equal((0, Answer, ""), (second.ExitCode, second.Output, second.Errors));
    }

    [Fact]
    public void A_cache_that_cannot_be_written_costs_a_sentence()
    {
        Dictionary<string, string?> environment = Emulated();
        string some = CopyKernels();
        foreach (string file in Directory.GetFiles(some, "embed_tokens.*"))
            File.Delete(file);
        // A file where the folder should be: permissions do not bind every user.
        string inTheWay = Path.Combine(folder, "file");
        File.WriteAllText(inTheWay, "");
        environment["XC2_KERNELS"] = folder;
        environment["XC2_CACHE"] = inTheWay;
        ProgramRun run = Ask(environment, "cuda");
        Assert.Equal((0, Answer), (run.ExitCode, run.Output));
        Assert.StartsWith("xc2: compiled kernels are not kept, so that every start compiles them again: ", run.Errors, StringComparison.Ordinal);
        Assert.EndsWith("Name a folder that can be written with XC2_CACHE\n", run.Errors, StringComparison.Ordinal);
        Assert.Single(run.Errors, '\n');
    }

    [Fact]
    public void Too_little_memory_is_refused_with_the_numbers_before_anything_is_allocated()
    {
        Dictionary<string, string?> environment = Emulated();
        environment["XC2_EMULATED_MEMORY_MB"] = "9";
        string storage = Architecture == "75" ? "F16" : "BF16";
        ExpectRefusal(environment, $"needs 13 MiB of device memory (weights, {storage}: 7 MiB, KV cache, 576 tokens in 9 pages of 64, {storage}: 1 MiB, ", "--no-fit");
        ExpectRefusal(environment, "9 MiB of 9 MiB are free on Emulated device, ", "--no-fit");
        ExpectProcessor(environment, "needs 13 MiB of device memory", "--no-fit");
        // Nothing fits here, so there is nothing to choose.
        environment["XC2_EMULATED_MEMORY_MB"] = "2";
        ExpectRefusal(environment, "2 MiB of 2 MiB are free on Emulated device, ");
    }

    /// <summary>What fits is chosen, named and loaded, by itself; the device's numbers are the plan's.</summary>
    [Fact]
    public void Too_little_memory_gets_the_smallest_change_that_fits_and_says_which()
    {
        Dictionary<string, string?> environment = Emulated();
        environment["XC2_EMULATED_MEMORY_MB"] = "12";
        ProgramRun run = Ask(environment, "cuda");
        Assert.Equal((0, Answer), (run.ExitCode, run.Output));
        Assert.StartsWith("xc2: 12 MiB are free on Emulated device, ", run.Errors, StringComparison.Ordinal);
        Assert.Contains("were needed: loading with --vision int8, which needs 12 MiB", run.Errors, StringComparison.Ordinal);
        Assert.Single(run.Errors, '\n');
    }

    /// <summary>Memory that another program takes meanwhile.</summary>
    [Fact]
    public void Memory_that_runs_out_later_is_a_sentence_too()
    {
        CudaException failure = Assert.Throws<CudaException>(() => DeviceMemory.Allocate(device.Context, 1L << 50));
        string? described = DeviceFailure.Describe(failure);
        Assert.StartsWith("cuMemAlloc_v2 (1125899906842624 bytes on ", described, StringComparison.Ordinal);
        Assert.Contains(" bytes free) failed: CUDA_ERROR_OUT_OF_MEMORY (2), out of memory. A shorter context takes less", described, StringComparison.Ordinal);
    }

    [Fact]
    public void Bf16_where_tensor_cores_have_none_is_refused_and_f16_taken_by_itself()
    {
        Dictionary<string, string?> environment = Emulated();
        environment["XC2_EMULATED_ARCH"] = "75";
        ProgramRun refused = Ask(environment, "cuda", "--storage", "bf16");
        Assert.Equal((1, ""), (refused.ExitCode, refused.Output));
        Assert.Equal(
            "xc2: device cuda: Emulated device, sm_75 (compute capability 7.5) has no tensor cores for bf16, which begin with compute capability 8.0; f16 runs on it\n", refused.Errors);
        ProgramRun taken = Ask(environment, "auto", "--verbose");
        Assert.Equal((0, Answer), (taken.ExitCode, taken.Output));
        Assert.Contains("cuda, Emulated device, sm_75 (compute capability 7.5), f16\n", taken.Errors, StringComparison.Ordinal);
    }

    /// <summary>What a container ships: the driver is all that it needs.</summary>
    [Fact]
    public void Kernels_that_were_compiled_elsewhere_need_no_NVRTC()
    {
        Dictionary<string, string?> environment = Emulated();
        string shipped = environment["XC2_CACHE"] + "-shipped", own = Path.Combine(folder, "own");
        ProgramRun compiled = ProgramRun.Start(environment, "kernels", "compile", "--model", Path.Combine(demo, "checkpoint"), "--arch", $"sm_{Architecture}", "--out", shipped);
        Assert.True(compiled.ExitCode == 0, compiled.All);
        environment["XC2_KERNELS"] = shipped;
        environment["XC2_CACHE"] = own;
        environment["XC2_NVRTC"] = "/nowhere/libnvrtc.so.12";
        ProgramRun run = Ask(environment, "cuda", "--verbose");
        Assert.Equal((0, Answer), (run.ExitCode, run.Output));
        Assert.Contains("cuda, ", run.Errors, StringComparison.Ordinal);
        Assert.DoesNotContain("compiling", run.Errors, StringComparison.Ordinal);
        Assert.False(Directory.Exists(own));
    }

    // Hopper's own code has its own instructions.
    private static string Architecture => Environment.GetEnvironmentVariable("XC2_EMULATED_ARCH")?.Replace("sm_", "", StringComparison.Ordinal) switch
    {
        null or "" => "80",
        "90" => "90a",
        { } named => named,
    };

    private static Dictionary<string, string?> Emulated()
    {
        if (RepositoryPaths.Root is null || !File.Exists(RepositoryPaths.Find("tests/EmulatedDevice/build.sh")))
            Assert.Skip("the emulated device is built from a checkout");
        try
        {
            string library = DeviceLibraries.BuildEmulatedDevice();
            return new() { ["XC2_CUDA_DRIVER"] = library, ["XC2_NVRTC"] = library, ["XC2_CACHE"] = DemoKernels(library), ["XC2_KERNELS"] = null };
        }
        catch (CudaUnavailableException missing)
        {
            Assert.Skip(missing.Message);
            throw;
        }
    }

    // Kept from run to run, beside what other tests keep: here it is counted what is there.
    private static string DemoKernels(string library) => DeviceLibraries.KernelCache(library) + "-demo";

    // Six tokens suffice. The message about the cut-off answer is checked and removed from the errors.
    private static ProgramRun Ask(Dictionary<string, string?> environment, string kind, params ReadOnlySpan<string> more)
    {
        const string CutOff = "xc2: the answer is cut off after 6 tokens: --max-tokens 6 is reached\n";
        ProgramRun run = ProgramRun.Start(
            environment,
            [
                "chat", "--model", Path.Combine(demo, "checkpoint"), "--device", kind, "--context", "512", "--greedy", "--max-tokens", "6",
                "--image", Path.Combine(demo, "pictures", "shapes-1.png"), "Describe", .. more,
            ]);
        Assert.Equal(run.ExitCode == 0, run.Errors.Contains(CutOff, StringComparison.Ordinal));
        return run with { Errors = run.Errors.Replace(CutOff, "", StringComparison.Ordinal) };
    }

    private static void ExpectRefusal(Dictionary<string, string?> environment, string message, params ReadOnlySpan<string> more)
    {
        ProgramRun run = Ask(environment, "cuda", more);
        Assert.Equal((1, ""), (run.ExitCode, run.Output));
        Assert.StartsWith("xc2: device cuda: ", run.Errors, StringComparison.Ordinal);
        Assert.Contains(message, run.Errors, StringComparison.Ordinal);
        Assert.Single(run.Errors, '\n');
    }

    private static void ExpectProcessor(Dictionary<string, string?> environment, string why, params ReadOnlySpan<string> more)
    {
        ProgramRun run = Ask(environment, "auto", ["--verbose", .. more]);
        Assert.Equal((0, Answer), (run.ExitCode, run.Output));
        string device = run.Errors.Split('\n').Single(line => line.StartsWith("cpu, ", StringComparison.Ordinal));
        Assert.Contains("(no GPU is used: ", device, StringComparison.Ordinal);
        Assert.Contains(why, device, StringComparison.Ordinal);
    }

    /// <summary>Into this test's folder, as a cache would lie there; compiled first where that has not been done.</summary>
    private string CopyKernels()
    {
        Dictionary<string, string?> environment = Emulated();
        ProgramRun run = Ask(environment, "cuda");
        Assert.True(run.ExitCode == 0, run.All);
        string copies = CubinFolders.Within(folder);
        Directory.CreateDirectory(copies);
        foreach (string file in Directory.GetFiles(CubinFolders.Within(environment["XC2_CACHE"]!)))
            File.Copy(file, Path.Combine(copies, Path.GetFileName(file)));
        return copies;
    }
}
