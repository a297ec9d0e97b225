using System.Globalization;

namespace XComposer2.Native.Cuda;

/// <summary>What code is compiled for: <c>sm_90a</c> is machine code of one generation, <c>compute_90</c> is PTX for it and all that follow.</summary>
public readonly record struct CudaTarget
{
    private const string MachinePrefix = "sm_", PtxPrefix = "compute_";

    private CudaTarget(int architecture, bool isSpecific, bool isPtx)
    {
        Architecture = architecture;
        IsSpecific = isSpecific;
        IsPtx = isPtx;
    }

    /// <summary>As the compiler counts: 75, 90, 120.</summary>
    public int Architecture { get; }

    /// <summary>With the generation's own instructions (the <c>a</c> of <c>sm_90a</c>), which no other runs.</summary>
    public bool IsSpecific { get; }

    /// <summary>The driver compiles it to machine code when it is loaded.</summary>
    public bool IsPtx { get; }

    public static CudaTarget Cubin(int architecture, bool isSpecific = false) => new(architecture, isSpecific, false);

    public static CudaTarget Ptx(int architecture, bool isSpecific = false) => new(architecture, isSpecific, true);

    /// <summary>A GPU's own machine code.</summary>
    public static CudaTarget Own(ComputeCapability device) => Cubin(device.Number, device == Hopper);

    /// <summary>The best target for a GPU that a compiler knows: its own machine code, or PTX of the newest generation before it.</summary>
    /// <exception cref="CudaUnavailableException">The compiler knows neither.</exception>
    public static CudaTarget For(ComputeCapability device, Nvrtc compiler)
    {
        ArgumentNullException.ThrowIfNull(compiler);
        if (compiler.SupportedArchitectures.Contains(device.Number)) return Own(device);
        int older = compiler.SupportedArchitectures.Where(architecture => architecture < device.Number).DefaultIfEmpty().Max();
        return older >= CudaDriver.MinimumCapability.Number ? Ptx(older) : throw compiler.Unsupported($"compute capability {device}");
    }

    /// <exception cref="FormatException">The text is not like <c>sm_86</c>, <c>sm_90a</c> or <c>compute_90</c>.</exception>
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
            : throw new FormatException($"target: expected one like sm_86, sm_90a or compute_90, found '{text}'");
    }

    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture, $"{(IsPtx ? PtxPrefix : MachinePrefix)}{Architecture}{(IsSpecific ? "a" : "")}");

    private static ComputeCapability Hopper => new(9, 0);
}
