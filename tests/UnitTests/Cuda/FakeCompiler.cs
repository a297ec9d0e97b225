using System.Runtime.InteropServices;
using System.Text;
using XComposer2.Native.Cuda;

namespace XComposer2.Native.UnitTests;

/// <summary>
/// An NVRTC of managed functions. Its "cubin" is the concatenated text of its input, so that tests can check it. Counts compilations per
/// thread.
/// </summary>
internal sealed unsafe class FakeCompiler : INativeExports
{
    private static readonly int[] architectures = [75, 80, 90];
    private readonly Dictionary<string, nint> functions = new()
    {
        ["nvrtcVersion"] = (nint)(delegate* unmanaged<int*, int*, NvrtcResult>)&GetVersion,
        ["nvrtcGetErrorString"] = (nint)(delegate* unmanaged<NvrtcResult, byte*>)&GetErrorString,
        ["nvrtcGetNumSupportedArchs"] = (nint)(delegate* unmanaged<int*, NvrtcResult>)&CountArchitectures,
        ["nvrtcGetSupportedArchs"] = (nint)(delegate* unmanaged<int*, NvrtcResult>)&GetArchitectures,
        ["nvrtcCreateProgram"] = (nint)(delegate* unmanaged<nint*, byte*, byte*, int, byte**, byte**, NvrtcResult>)&Create,
        ["nvrtcDestroyProgram"] = (nint)(delegate* unmanaged<nint*, NvrtcResult>)&Destroy,
        ["nvrtcCompileProgram"] = (nint)(delegate* unmanaged<nint, int, byte**, NvrtcResult>)&Compile,
        ["nvrtcGetProgramLogSize"] = (nint)(delegate* unmanaged<nint, nuint*, NvrtcResult>)&GetLogSize,
        ["nvrtcGetProgramLog"] = (nint)(delegate* unmanaged<nint, byte*, NvrtcResult>)&GetLog,
        ["nvrtcGetCUBINSize"] = (nint)(delegate* unmanaged<nint, nuint*, NvrtcResult>)&GetImageSize,
        ["nvrtcGetCUBIN"] = (nint)(delegate* unmanaged<nint, byte*, NvrtcResult>)&GetImage,
        ["nvrtcGetPTXSize"] = (nint)(delegate* unmanaged<nint, nuint*, NvrtcResult>)&GetImageSize,
        ["nvrtcGetPTX"] = (nint)(delegate* unmanaged<nint, byte*, NvrtcResult>)&GetImage,
    };

    // Native callbacks have no instance, so counts are per thread. A test reads the count of its own thread, or none.
    [ThreadStatic]
    private static int compilations;

    [ThreadStatic]
    private static int minorVersion;

    public string Name => "libfakenvrtc.so";

    /// <summary>Compilations on this thread.</summary>
    public static int Compilations
    {
        get => compilations;
        set => compilations = value;
    }

    public static Nvrtc Load(int minor = 4)
    {
        minorVersion = minor;
        return new Nvrtc(new FakeCompiler());
    }

    public bool TryFind(string symbol, out nint address) => functions.TryGetValue(symbol, out address);

    [UnmanagedCallersOnly]
    private static NvrtcResult GetVersion(int* major, int* minor)
    {
        *major = 12;
        *minor = minorVersion;
        return NvrtcResult.Success;
    }

    [UnmanagedCallersOnly]
    private static byte* GetErrorString(NvrtcResult result) => FakeDriver.Text("NVRTC_ERROR\0"u8);

    [UnmanagedCallersOnly]
    private static NvrtcResult CountArchitectures(int* count)
    {
        *count = architectures.Length;
        return NvrtcResult.Success;
    }

    [UnmanagedCallersOnly]
    private static NvrtcResult GetArchitectures(int* list)
    {
        architectures.CopyTo(new Span<int>(list, architectures.Length));
        return NvrtcResult.Success;
    }

    [UnmanagedCallersOnly]
    private static NvrtcResult Create(nint* program, byte* source, byte* name, int headers, byte** texts, byte** names)
    {
        StringBuilder text = new($"{FakeDriver.Read(name)}|{FakeDriver.Read(source)}");
        for (int index = 0; index < headers; index++)
            text.Append($"|{FakeDriver.Read(names[index])}|{FakeDriver.Read(texts[index])}");
        *program = GCHandle.ToIntPtr(GCHandle.Alloc(text));
        return NvrtcResult.Success;
    }

    [UnmanagedCallersOnly]
    private static NvrtcResult Destroy(nint* program)
    {
        GCHandle.FromIntPtr(*program).Free();
        return NvrtcResult.Success;
    }

    [UnmanagedCallersOnly]
    private static NvrtcResult Compile(nint program, int count, byte** options)
    {
        compilations++;
        StringBuilder text = Text(program);
        for (int index = 0; index < count; index++)
            text.Append('|').Append(FakeDriver.Read(options[index]));
        return text.ToString().Contains("#error", StringComparison.Ordinal) ? NvrtcResult.Compilation : NvrtcResult.Success;
    }

    [UnmanagedCallersOnly]
    private static NvrtcResult GetLogSize(nint program, nuint* size)
    {
        *size = 4;
        return NvrtcResult.Success;
    }

    [UnmanagedCallersOnly]
    private static NvrtcResult GetLog(nint program, byte* log)
    {
        "log\0"u8.CopyTo(new Span<byte>(log, 4));
        return NvrtcResult.Success;
    }

    [UnmanagedCallersOnly]
    private static NvrtcResult GetImageSize(nint program, nuint* size)
    {
        *size = (nuint)Encoding.UTF8.GetByteCount(Text(program).ToString());
        return NvrtcResult.Success;
    }

    [UnmanagedCallersOnly]
    private static NvrtcResult GetImage(nint program, byte* image)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(Text(program).ToString());
        bytes.CopyTo(new Span<byte>(image, bytes.Length));
        return NvrtcResult.Success;
    }

    private static StringBuilder Text(nint program) => (StringBuilder)GCHandle.FromIntPtr(program).Target!;
}
