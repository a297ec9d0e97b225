using System.Globalization;

namespace XComposer2.Native.Cuda;

/// <summary>Compilation target. <c>sm_90a</c>: machine code for one GPU generation. <c>compute_90</c>: PTX for that generation and all newer ones.</summary>
public readonly record struct CudaTarget
{
    private const string MachinePrefix = "sm_", PtxPrefix = "compute_";

    private CudaTarget(int architecture, bool isSpecific, bool isPtx)
    {
        Architecture = architecture;
        IsSpecific = isSpecific;
        IsPtx = isPtx;
    }

    /// <summary>Architecture number in NVRTC's notation: 75, 90, 120.</summary>
    public int Architecture { get; }

    /// <summary>Uses architecture-specific instructions (the <c>a</c> of <c>sm_90a</c>); the code runs on this architecture only.</summary>
    public bool IsSpecific { get; }

    /// <summary>PTX; the driver compiles it to machine code at load time.</summary>
    public bool IsPtx { get; }

    public static CudaTarget Cubin(int architecture, bool isSpecific = false) => new(architecture, isSpecific, false);

    public static CudaTarget Ptx(int architecture, bool isSpecific = false) => new(architecture, isSpecific, true);

    /// <summary>The native machine code target of a GPU.</summary>
    public static CudaTarget Own(ComputeCapability device) => Cubin(device.Number, device == Hopper);

    /// <summary>The best target that the compiler supports for a GPU: native machine code, or PTX of the newest older generation.</summary>
    /// <exception cref="CudaUnavailableException">The compiler supports neither.</exception>
    public static CudaTarget For(ComputeCapability device, Nvrtc compiler)
    {
        ArgumentNullException.ThrowIfNull(compiler);
        if (compiler.SupportedArchitectures.Contains(device.Number)) return Own(device);
        int older = compiler.SupportedArchitectures.Where(architecture => architecture < device.Number).DefaultIfEmpty().Max();
        return older >= CudaDriver.MinimumCapability.Number ? Ptx(older) : throw compiler.Unsupported($"compute capability {device}");
    }

    /// <exception cref="FormatException">The text does not have the form <c>sm_86</c>, <c>sm_90a</c> or <c>compute_90</c>.</exception>
    public static CudaTarget Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        bool isPtx = text.StartsWith(PtxPrefix, StringComparison.Ordinal);
        ReadOnlySpan<char> rest = isPtx ? text.AsSpan(PtxPrefix.Length)
            : text.StartsWith(MachinePrefix, StringComparison.Ordinal) ? text.AsSpan(MachinePrefix.Length) : [];
        bool isSpecific = rest.EndsWith("a");
        if (isSpecific) rest = rest[..^1];
        return int.TryParse(rest, NumberStyles.None, CultureInfo.InvariantCulture, out int architecture) && architecture is >= 50 and <= 999
            ? new CudaTarget(architecture, isSpecific, isPtx)
            : throw new FormatException($"target: expected a target such as sm_86, sm_90a or compute_90, found '{text}'");
    }

    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture, $"{(IsPtx ? PtxPrefix : MachinePrefix)}{Architecture}{(IsSpecific ? "a" : "")}");

    private static ComputeCapability Hopper => new(9, 0);
}
