using System.Runtime.InteropServices;
using System.Text;

namespace XComposer2.Native.Cuda;

/// <summary>A runtime compiler in this process. Never unloaded. Programs may be compiled on several threads at once.</summary>
public sealed unsafe class Nvrtc
{
    /// <summary>The first with every target that the kernels have.</summary>
    public static readonly CudaVersion MinimumVersion = new(12, 0);

    internal const string LibraryVariable = "XC2_NVRTC";

    private readonly CompilerFunctions functions;

    /// <param name="exports">The library.</param>
    /// <param name="stamp">Tells this build from others of its version; null where the version is enough.</param>
    internal Nvrtc(INativeExports exports, string? stamp = null)
    {
        Library = exports.Name;
        functions = new CompilerFunctions(exports);
        int major, minor;
        Check(functions.nvrtcVersion(&major, &minor), nameof(CompilerFunctions.nvrtcVersion));
        Version = new CudaVersion(major, minor);
        if (!Version.IsAtLeast(MinimumVersion))
            throw new CudaUnavailableException(CudaUnavailableReason.CompilerTooOld, $"NVRTC {Version} is too old, {MinimumVersion} or newer is needed");
        Identity = stamp is null ? $"nvrtc{Version}" : $"nvrtc{Version}-{stamp}";
        SupportedArchitectures = ReadArchitectures();
    }

    /// <summary>The library's path or loader name.</summary>
    public string Library { get; }

    public CudaVersion Version { get; }

    /// <summary>As the compiler counts, ascending: 50, ..., 90.</summary>
    public IReadOnlyList<int> SupportedArchitectures { get; }

    /// <summary>What the cache takes for the compiler: the version, and of a library named by hand also which file it is.</summary>
    internal string Identity { get; }

    /// <param name="library">Path or loader name; null for <c>XC2_NVRTC</c> or what is found.</param>
    /// <param name="driver">What the driver understands, to pass over a compiler whose code it would not load; null to take the newest.</param>
    /// <exception cref="CudaUnavailableException">None is found, or none that suits: the message lists what was tried.</exception>
    public static Nvrtc Load(string? library = null, CudaVersion? driver = null) =>
        NvrtcSearch.Load(library, driver, Environment.GetEnvironmentVariable, AppContext.BaseDirectory);

    /// <param name="program">The source and its headers.</param>
    /// <param name="target">One that the compiler knows.</param>
    /// <param name="options">In order, without the target's.</param>
    /// <exception cref="NvrtcException">It does not compile: the log is in the message.</exception>
    /// <exception cref="CudaUnavailableException">The compiler does not know the target.</exception>
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
        $"NVRTC {Version} ({Library}) does not know {what}, only {string.Join(", ", SupportedArchitectures)}; "
        + $"install a newer NVRTC, or name one with {LibraryVariable}");

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

/// <summary>What NVRTC made of a program.</summary>
/// <param name="Image">A cubin, or PTX text with a zero byte at its end.</param>
/// <param name="Log">Warnings, and what <c>--ptxas-options=-v</c> prints; empty where there is nothing.</param>
public sealed record CompiledKernel(ReadOnlyMemory<byte> Image, string Log);

/// <summary>A compilation that failed, or another NVRTC call: the message names call, code, file, target and options, and ends with the log.</summary>
public sealed class NvrtcException : Exception
{
    internal NvrtcException(NvrtcResult result, string message, string log)
        : base(log.Length == 0 ? message : $"{message}\n{log}")
    {
        Result = result;
        Log = log;
    }

    public NvrtcResult Result { get; }

    /// <summary>What the compiler printed; empty where it printed nothing.</summary>
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
