using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using XComposer2.Native.Cuda;

namespace XComposer2.Native.UnitTests;

/// <summary>
/// A driver of managed functions that tracks allocations and releases, fails on request and records its arguments.
/// Native callbacks have no instance, so only one fake can exist at a time: its tests share the collection <see cref="Collection"/>.
/// </summary>
internal sealed unsafe class FakeDriver : INativeExports
{
    public const string Collection = "fake driver";

    /// <summary>Key in <see cref="Failures"/> that makes all calls fail, as after a kernel fault.</summary>
    public const string Everything = "everything";

    public const int GranularityBytes = 2 << 20;

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

    /// <summary>Values of device attributes, where they are not the default.</summary>
    public Dictionary<DeviceAttribute, int> Capabilities { get; } = [];

    /// <summary>Results of failing calls by name.</summary>
    public Dictionary<string, CudaResult> Failures { get; } = [];

    /// <summary>Kinds and handles of live objects.</summary>
    public HashSet<(string Kind, long Handle)> Alive { get; } = [];

    /// <summary>Releases of objects that were not alive.</summary>
    public List<string> WrongReleases { get; } = [];

    /// <summary>Released handles, in order.</summary>
    public List<string> Released { get; } = [];

    public LaunchConfiguration Launch { get; set; }

    public nint Launched { get; set; }

    public byte[] LaunchAttributeBytes { get; set; } = [];

    public byte[] Arguments { get; set; } = [];

    public KernelNodeParameters Node { get; set; }

    /// <summary>Sizes that <c>cuMemCreate</c> was asked for.</summary>
    public List<long> CreatedBytes { get; } = [];

    /// <summary>Size of the kernel's arguments.</summary>
    public int ArgumentBytes { get; set; }

    /// <summary>Result in the result structure of a graph update.</summary>
    public GraphUpdateResult UpdateResult { get; set; }

    public string JitLog { get; set; } = string.Empty;

    public static FakeDriver Current => current;

    public bool TryFind(string symbol, out nint address) => functions.TryGetValue(symbol, out address);

    public void Remove(string symbol) => functions.Remove(symbol);

    /// <summary>Replaces a function by one that only succeeds. Must be called before the driver is loaded.</summary>
    public void Simplify(string symbol) => functions[symbol] = (nint)(delegate* unmanaged<CudaResult>)&Succeed;

    public CudaResult Answer(string symbol) =>
        Failures.TryGetValue(symbol, out CudaResult failure) || Failures.TryGetValue(Everything, out failure) ? failure : CudaResult.Success;

    /// <summary>Creates a handle, unless the call is set to fail.</summary>
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

    /// <summary>A static zero-terminated text.</summary>
    public static byte* Text(ReadOnlySpan<byte> literal) => (byte*)Unsafe.AsPointer(ref MemoryMarshal.GetReference(literal));

    public static string Read(byte* text) => Encoding.UTF8.GetString(MemoryMarshal.CreateReadOnlySpanFromNullTerminated(text));
}
