using System.Runtime.InteropServices;
using System.Text;

namespace XComposer2.Native.Cuda;

/// <summary>A loaded NVRTC library. It is never unloaded. Several threads may compile at the same time.</summary>
public sealed unsafe class Nvrtc
{
    /// <summary>The first version that supports every target of the kernels.</summary>
    public static readonly CudaVersion MinimumVersion = new(12, 0);

    internal const string LibraryVariable = "XC2_NVRTC";

    private readonly CompilerFunctions functions;

    /// <param name="exports">The library.</param>
    /// <param name="stamp">Distinguishes builds of the same version; null if the version is sufficient.</param>
    internal Nvrtc(INativeExports exports, string? stamp = null)
    {
        Library = exports.Name;
        functions = new CompilerFunctions(exports);
        int major, minor;
        Check(functions.nvrtcVersion(&major, &minor), nameof(CompilerFunctions.nvrtcVersion));
        Version = new CudaVersion(major, minor);
        if (!Version.IsAtLeast(MinimumVersion))
            throw new CudaUnavailableException(CudaUnavailableReason.CompilerTooOld, $"NVRTC {Version} is too old; {MinimumVersion} or newer is required");
        Identity = stamp is null ? $"nvrtc{Version}" : $"nvrtc{Version}-{stamp}";
        SupportedArchitectures = ReadArchitectures();
    }

    /// <summary>The library's path or loader name.</summary>
    public string Library { get; }

    public CudaVersion Version { get; }

    /// <summary>Architecture numbers in ascending order: 50, ..., 90.</summary>
    public IReadOnlyList<int> SupportedArchitectures { get; }

    /// <summary>The compiler's part of the cache key: its version, and for an explicitly configured library also the identity of the file.</summary>
    internal string Identity { get; }

    /// <param name="library">Path or loader name; null searches <c>XC2_NVRTC</c> and then the default locations.</param>
    /// <param name="driver">CUDA version of the driver: compilers whose code it cannot load are skipped. Null takes the newest compiler.</param>
    /// <exception cref="CudaUnavailableException">No suitable library was found. The message lists the locations tried.</exception>
    public static Nvrtc Load(string? library = null, CudaVersion? driver = null) =>
        NvrtcSearch.Load(library, driver, Environment.GetEnvironmentVariable, AppContext.BaseDirectory);

    /// <param name="program">The source and its headers.</param>
    /// <param name="target">A target that the compiler supports.</param>
    /// <param name="options">Compiler options in order, without the target option.</param>
    /// <exception cref="NvrtcException">Compilation failed. The message contains the log.</exception>
    /// <exception cref="CudaUnavailableException">The compiler does not support the target.</exception>
    public CompiledKernel Compile(KernelProgram program, CudaTarget target, IReadOnlyList<string> options)
    {
        ArgumentNullException.ThrowIfNull(program);
        ArgumentNullException.ThrowIfNull(options);
        if (!SupportedArchitectures.Contains(target.Architecture)) throw Unsupported(target.ToString());
        ProgramHandle handle = Create(program);
        try
        {
            using Utf8Strings arguments = new([$"--gpu-architecture={target}", .. options]);
            NvrtcResult result = functions.nvrtcCompileProgram(handle, options.Count + 1, arguments.Pointers);
            string log = ReadLog(handle);
            if (result != NvrtcResult.Success)
                throw new NvrtcException(
                    result, $"{program.Source.Path} does not compile for {target}: {Describe(result)}, NVRTC {Version}, options {string.Join(' ', options)}", log);
            return new CompiledKernel(target.IsPtx ? ReadPtx(handle) : ReadCubin(handle), log);
        }
        finally
        {
            Check(functions.nvrtcDestroyProgram(&handle), nameof(CompilerFunctions.nvrtcDestroyProgram));
        }
    }

    internal CudaUnavailableException Unsupported(string what) => new(
        CudaUnavailableReason.CompilerTooOld,
        $"NVRTC {Version} ({Library}) does not support {what}, only {string.Join(", ", SupportedArchitectures)}; "
        + $"install a newer NVRTC, or set {LibraryVariable} to the path of one");

    private ProgramHandle Create(KernelProgram program)
    {
        using Utf8Strings source = new([program.Source.Text, program.Source.Path]);
        using Utf8Strings texts = new([.. program.Headers.Select(header => header.Text)]);
        using Utf8Strings names = new([.. program.Headers.Select(header => header.Path)]);
        ProgramHandle handle;
        Check(
            functions.nvrtcCreateProgram(&handle, source.Pointers[0], source.Pointers[1], program.Headers.Count, texts.Pointers, names.Pointers),
            nameof(CompilerFunctions.nvrtcCreateProgram));
        return handle;
    }

    private byte[] ReadCubin(ProgramHandle program)
    {
        nuint size;
        Check(functions.nvrtcGetCUBINSize(program, &size), nameof(CompilerFunctions.nvrtcGetCUBINSize));
        byte[] cubin = new byte[(int)size];
        fixed (byte* start = cubin)
            Check(functions.nvrtcGetCUBIN(program, start), nameof(CompilerFunctions.nvrtcGetCUBIN));
        return cubin;
    }

    private byte[] ReadPtx(ProgramHandle program)
    {
        nuint size;
        Check(functions.nvrtcGetPTXSize(program, &size), nameof(CompilerFunctions.nvrtcGetPTXSize));
        byte[] ptx = new byte[(int)size];
        fixed (byte* start = ptx)
            Check(functions.nvrtcGetPTX(program, start), nameof(CompilerFunctions.nvrtcGetPTX));
        return ptx;
    }

    private string ReadLog(ProgramHandle program)
    {
        nuint size;
        Check(functions.nvrtcGetProgramLogSize(program, &size), nameof(CompilerFunctions.nvrtcGetProgramLogSize));
        if (size <= 1) return string.Empty;
        byte[] log = new byte[(int)size];
        fixed (byte* start = log)
            Check(functions.nvrtcGetProgramLog(program, start), nameof(CompilerFunctions.nvrtcGetProgramLog));
        return Encoding.UTF8.GetString(log).TrimEnd('\0', '\n', ' ');
    }

    private int[] ReadArchitectures()
    {
        int count;
        Check(functions.nvrtcGetNumSupportedArchs(&count), nameof(CompilerFunctions.nvrtcGetNumSupportedArchs));
        int[] architectures = new int[count];
        fixed (int* start = architectures)
            Check(functions.nvrtcGetSupportedArchs(start), nameof(CompilerFunctions.nvrtcGetSupportedArchs));
        Array.Sort(architectures);
        return architectures;
    }

    private void Check(NvrtcResult result, string call)
    {
        if (result != NvrtcResult.Success) throw new NvrtcException(result, $"{call} failed: {Describe(result)}", string.Empty);
    }

    private string Describe(NvrtcResult result) => $"{Marshal.PtrToStringUTF8((nint)functions.nvrtcGetErrorString(result))} ({(int)result})";
}

/// <summary>Result of a compilation.</summary>
/// <param name="Image">A cubin, or zero-terminated PTX text.</param>
/// <param name="Log">Warnings and the output of <c>--ptxas-options=-v</c>; may be empty.</param>
public sealed record CompiledKernel(ReadOnlyMemory<byte> Image, string Log);

/// <summary>A failed NVRTC call. The message names call, result code, file, target and options and ends with the log.</summary>
public sealed class NvrtcException : Exception
{
    internal NvrtcException(NvrtcResult result, string message, string log)
        : base(log.Length == 0 ? message : $"{message}\n{log}")
    {
        Result = result;
        Log = log;
    }

    public NvrtcResult Result { get; }

    /// <summary>The compiler's output; may be empty.</summary>
    public string Log { get; }
}

/// <summary><c>nvrtcResult</c>.</summary>
public enum NvrtcResult
{
    Success = 0,
    OutOfMemory = 1,
    ProgramCreationFailure = 2,
    InvalidInput = 3,
    InvalidProgram = 4,
    InvalidOption = 5,
    Compilation = 6,
    BuiltinOperationFailure = 7,
    InternalError = 11,
}
