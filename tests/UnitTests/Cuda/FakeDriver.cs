using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using XComposer2.Native.Cuda;

namespace XComposer2.Native.UnitTests;

/// <summary>
/// A driver of managed functions that counts what is made and given back, fails where it is told to, and notes what it is handed.
/// Native code has no instance to call on, so there is one at a time: its tests share the collection <see cref="Collection"/>.
/// </summary>
internal sealed unsafe class FakeDriver : INativeExports
{
    public const string Collection = "fake driver";

    /// <summary>Instead of a call's name in <see cref="Failures"/>: all fail, as after a kernel's fault.</summary>
    public const string Everything = "everything";

    private static FakeDriver current = new();

    private readonly Dictionary<string, nint> functions = [];
    private long nextHandle = 0x1000;

    public FakeDriver()
    {
        current = this;
        AddDefaults();
        FakeDriverFunctions.AddTo(functions);
    }

    public string Name => "libfake.so";

    public int Version { get; set; } = 12040;

    public int Devices { get; set; } = 1;

    public int Capability { get; set; } = 90;

    /// <summary>What each call answers instead of success.</summary>
    public Dictionary<string, CudaResult> Failures { get; } = [];

    /// <summary>Kinds and handles of what is alive.</summary>
    public HashSet<(string Kind, long Handle)> Alive { get; } = [];

    /// <summary>Everything that was released and was not alive.</summary>
    public List<string> WrongReleases { get; } = [];

    /// <summary>Handles given back, in order.</summary>
    public List<string> Released { get; } = [];

    public LaunchConfiguration Launch { get; set; }

    public nint Launched { get; set; }

    public byte[] LaunchAttributeBytes { get; set; } = [];

    public byte[] Arguments { get; set; } = [];

    public KernelNodeParameters Node { get; set; }

    /// <summary>How many bytes of arguments the kernel has.</summary>
    public int ArgumentBytes { get; set; }

    /// <summary>What the capture's update answers in its result structure.</summary>
    public GraphUpdateResult UpdateResult { get; set; }

    public string JitLog { get; set; } = string.Empty;

    public static FakeDriver Current => current;

    public bool TryFind(string symbol, out nint address) => functions.TryGetValue(symbol, out address);

    public void Remove(string symbol) => functions.Remove(symbol);

    /// <summary>Makes a function do nothing but succeed. Comes before the driver is loaded.</summary>
    public void Simplify(string symbol) => functions[symbol] = (nint)(delegate* unmanaged<CudaResult>)&Succeed;

    public CudaResult Answer(string symbol) =>
        Failures.TryGetValue(symbol, out CudaResult failure) || Failures.TryGetValue(Everything, out failure) ? failure : CudaResult.Success;

    /// <summary>Makes a handle, unless the call is to fail.</summary>
    public CudaResult Make(string symbol, string kind, out long handle)
    {
        handle = 0;
        CudaResult answer = Answer(symbol);
        if (answer != CudaResult.Success) return answer;
        handle = nextHandle += 0x100;
        Alive.Add((kind, handle));
        return answer;
    }

    public CudaResult Give(string symbol, string kind, long handle)
    {
        if (Alive.Remove((kind, handle))) Released.Add(kind);
        else WrongReleases.Add($"{kind} {handle:x}");
        return Answer(symbol);
    }

    private void AddDefaults()
    {
        foreach (string symbol in DriverAbiTests.Symbols(typeof(DriverFunctions)))
            Simplify(symbol);
    }

    [UnmanagedCallersOnly]
    private static CudaResult Succeed() => CudaResult.Success;

    /// <summary>A static zero-ended text.</summary>
    public static byte* Text(ReadOnlySpan<byte> literal) => (byte*)Unsafe.AsPointer(ref MemoryMarshal.GetReference(literal));

    public static string Read(byte* text) => Encoding.UTF8.GetString(MemoryMarshal.CreateReadOnlySpanFromNullTerminated(text));
}
