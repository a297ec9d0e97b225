using System.Buffers.Binary;
using System.Text;
using XComposer2.Native.Cuda;
using Xunit;

namespace XComposer2.Native.UnitTests;

/// <summary>The real NVRTC, which needs no GPU.</summary>
public class NvrtcTests
{
    private const string Kernel = "elementwise/scale.cu";
    private static readonly string[] options = ["--std=c++17", "-DFACTOR=2.0f"];

    private readonly ITestOutputHelper output;

    public NvrtcTests(ITestOutputHelper output) => this.output = output;

    [Fact]
    public void Version_and_architectures_are_read()
    {
        Nvrtc compiler = Nvrtc.Load(NvidiaLibraries.Compiler);
        Assert.Equal(new CudaVersion(12, 4), compiler.Version);
        Assert.Equal([50, 52, 53, 60, 61, 62, 70, 72, 75, 80, 86, 87, 89, 90], compiler.SupportedArchitectures.Order());
    }

    [Theory]
    [InlineData("sm_75", 75)]
    [InlineData("sm_80", 80)]
    [InlineData("sm_86", 86)]
    [InlineData("sm_89", 89)]
    [InlineData("sm_90", 90)]
    [InlineData("sm_90a", 90)]
    public void In_memory_headers_compile_to_a_cubin_of_the_architecture(string target, int architecture)
    {
        Nvrtc compiler = Nvrtc.Load(NvidiaLibraries.Compiler);
        CompiledKernel kernel = compiler.Compile(KernelProgram.Read(MemoryKernelSource.Scale(), Kernel), CudaTarget.Parse(target), options);
        ReadOnlySpan<byte> cubin = kernel.Image.Span;
        Assert.True(cubin.StartsWith("\u007fELF"u8));
        // e_flags of an ELF for EM_CUDA (190): the low byte is the architecture.
        Assert.Equal(190, BinaryPrimitives.ReadUInt16LittleEndian(cubin[18..]));
        Assert.Equal(architecture, BinaryPrimitives.ReadInt32LittleEndian(cubin[48..]) & 0xff);
        Assert.True(cubin.IndexOf(".text.scale\0"u8) > 0, "no code for the entry");
    }

    [Fact]
    public void Virtual_architecture_gives_zero_terminated_ptx()
    {
        Nvrtc compiler = Nvrtc.Load(NvidiaLibraries.Compiler);
        CompiledKernel kernel = compiler.Compile(KernelProgram.Read(MemoryKernelSource.Scale(), Kernel), CudaTarget.Ptx(90), options);
        string ptx = Encoding.UTF8.GetString(kernel.Image.Span);
        Assert.Contains(".target sm_90\n", ptx, StringComparison.Ordinal);
        Assert.Contains(".entry scale(", ptx, StringComparison.Ordinal);
        Assert.Equal('\0', ptx[^1]);
    }

    [Fact]
    public void Compile_error_shows_file_line_target_and_options()
    {
        Nvrtc compiler = Nvrtc.Load(NvidiaLibraries.Compiler);
        MemoryKernelSource source = MemoryKernelSource.Scale();
        source.Files["common/types.cuh"] = "#pragma once\n\ntypedef undeclared word;\n";
        NvrtcException failure = Assert.Throws<NvrtcException>(() => compiler.Compile(KernelProgram.Read(source, Kernel), CudaTarget.Cubin(80), options));
        Assert.Equal(NvrtcResult.Compilation, failure.Result);
        Assert.StartsWith(
            "elementwise/scale.cu does not compile for sm_80: NVRTC_ERROR_COMPILATION (6), NVRTC 12.4, options --std=c++17 -DFACTOR=2.0f\n", failure.Message, StringComparison.Ordinal);
        Assert.Contains("common/types.cuh(3): error", failure.Log, StringComparison.Ordinal);
        Assert.EndsWith(failure.Log, failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Unknown_option_is_an_error()
    {
        Nvrtc compiler = Nvrtc.Load(NvidiaLibraries.Compiler);
        NvrtcException failure = Assert.Throws<NvrtcException>(
            () => compiler.Compile(KernelProgram.Read(MemoryKernelSource.Scale(), Kernel), CudaTarget.Cubin(80), ["--no-such-option"]));
        Assert.Equal(NvrtcResult.InvalidOption, failure.Result);
        Assert.Contains("--no-such-option", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Log_reports_registers_and_spills()
    {
        Nvrtc compiler = Nvrtc.Load(NvidiaLibraries.Compiler);
        CompiledKernel kernel = compiler.Compile(
            KernelProgram.Read(MemoryKernelSource.Scale(), Kernel), CudaTarget.Cubin(90, isSpecific: true), [.. options, "--ptxas-options=-v"]);
        output.WriteLine(kernel.Log);
        Assert.Contains("0 bytes spill stores", kernel.Log, StringComparison.Ordinal);
        Assert.Contains("registers", kernel.Log, StringComparison.Ordinal);
    }

    [Fact]
    public void Programs_compile_concurrently()
    {
        Nvrtc compiler = Nvrtc.Load(NvidiaLibraries.Compiler);
        byte[][] images = new byte[8][];
        Parallel.For(0, images.Length, index => images[index] = compiler.Compile(
            KernelProgram.Read(MemoryKernelSource.Scale(), Kernel), CudaTarget.Cubin(80), [.. options, $"-DINDEX={index}"]).Image.ToArray());
        Assert.All(images, image => Assert.Equal(images[0], image));
    }

    [Fact]
    public void Supported_gpu_gets_machine_code_and_newer_gpu_gets_ptx()
    {
        Nvrtc compiler = Nvrtc.Load(NvidiaLibraries.Compiler);
        Assert.Equal(["sm_75", "sm_86", "sm_89", "sm_90a", "compute_90", "compute_90"],
            new ComputeCapability[] { new(7, 5), new(8, 6), new(8, 9), new(9, 0), new(10, 0), new(12, 0) }.Select(device => CudaTarget.For(device, compiler).ToString()));
    }

    [Fact]
    public void Unsupported_architecture_error_lists_supported_ones()
    {
        Nvrtc compiler = Nvrtc.Load(NvidiaLibraries.Compiler);
        CudaUnavailableException old = Assert.Throws<CudaUnavailableException>(
            () => compiler.Compile(KernelProgram.Read(MemoryKernelSource.Scale(), Kernel), CudaTarget.Cubin(120), options));
        Assert.Equal(CudaUnavailableReason.CompilerTooOld, old.Reason);
        Assert.Equal(
            $"NVRTC 12.4 ({NvidiaLibraries.Compiler}) does not support sm_120, only 50, 52, 53, 60, 61, 62, 70, 72, 75, 80, 86, 87, 89, 90; "
            + "install a newer NVRTC, or set XC2_NVRTC to the path of one",
            old.Message);
    }

    [Fact]
    public void Compiler_newer_than_the_driver_is_skipped()
    {
        CudaUnavailableException unsuited = Assert.Throws<CudaUnavailableException>(() => Nvrtc.Load(NvidiaLibraries.Compiler, new CudaVersion(11, 8)));
        Assert.Equal(CudaUnavailableReason.CompilerTooNew, unsuited.Reason);
        Assert.Contains("NVRTC 12.4 makes code that a driver for CUDA 11.8 does not load", unsuited.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Checkout_uses_its_own_compiler()
    {
        string library = NvidiaLibraries.Compiler;
        // The system's loader may find another one, which is correct too.
        Nvrtc compiler = NvrtcSearch.Load(null, new CudaVersion(12, 4), _ => null, Path.Combine(TestPaths.RepositoryRoot, "artifacts", "bin"));
        Assert.True(compiler.Library == library || !compiler.Library.Contains('/', StringComparison.Ordinal), compiler.Library);
        Assert.Equal("nvrtc12.4", compiler.Identity);
    }

    [Fact]
    public void Explicitly_configured_compiler_has_its_own_identity() =>
        Assert.Matches("^nvrtc12\\.4-[0-9a-f]{8}$", Nvrtc.Load(NvidiaLibraries.Compiler).Identity);

    [Fact]
    public void Missing_compiler_error_lists_locations_and_packages()
    {
        CudaUnavailableException missing = Assert.Throws<CudaUnavailableException>(
            () => NvrtcSearch.Load(null, new CudaVersion(13, 0), name => name == "XC2_NVRTC" ? "/nowhere/libnvrtc.so" : null, "/nowhere"));
        Assert.Equal(CudaUnavailableReason.CompilerNotFound, missing.Reason);
        Assert.Equal(
            "no NVRTC library can be used (tried only what XC2_NVRTC names, /nowhere/libnvrtc.so: no such file). Kernels are compiled by it: install NVRTC 13 "
            + "(on Debian and Ubuntu libnvrtc13, with pip nvidia-cuda-nvrtc, otherwise the CUDA toolkit's cuda-nvrtc package; in a checkout tools/nvrtc/install.sh), or name the library with XC2_NVRTC",
            missing.Message);
    }

    [Fact]
    public void Library_without_compiler_exports_is_rejected()
    {
        CudaUnavailableException wrong = Assert.Throws<CudaUnavailableException>(() => Nvrtc.Load(NvidiaLibraries.Driver));
        Assert.Equal(CudaUnavailableReason.LibraryUnusable, wrong.Reason);
        Assert.Contains("does not export nvrtcVersion", wrong.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("sm_80", 80, false, false)]
    [InlineData("sm_90a", 90, true, false)]
    [InlineData("compute_90", 90, false, true)]
    [InlineData("sm_120", 120, false, false)]
    public void Targets_round_trip(string text, int architecture, bool isSpecific, bool isPtx)
    {
        CudaTarget target = CudaTarget.Parse(text);
        Assert.Equal((architecture, isSpecific, isPtx, text), (target.Architecture, target.IsSpecific, target.IsPtx, target.ToString()));
    }

    [Theory]
    [InlineData("")]
    [InlineData("sm_")]
    [InlineData("sm_a")]
    [InlineData("sm_-80")]
    [InlineData("sm_80 ")]
    [InlineData("SM_80")]
    [InlineData("sm_8000")]
    [InlineData("90a")]
    public void Invalid_target_is_rejected(string text) =>
        Assert.Equal($"target: expected a target such as sm_86, sm_90a or compute_90, found '{text}'", Assert.Throws<FormatException>(() => CudaTarget.Parse(text)).Message);
}
