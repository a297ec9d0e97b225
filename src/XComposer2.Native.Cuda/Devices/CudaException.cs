using System.Runtime.CompilerServices;

namespace XComposer2.Native.Cuda;

/// <summary>A driver call that failed: the message names the call, the code and what the call was about.</summary>
public sealed class CudaException : Exception
{
    internal CudaException(string call, CudaResult result, string message)
        : base(message)
    {
        Call = call;
        Result = result;
    }

    /// <summary>The entry point, as exported: <c>cuMemAlloc_v2</c>.</summary>
    public string Call { get; }

    public CudaResult Result { get; }
}

/// <summary><c>CUresult</c>: the codes that are told apart or explained here. The driver names the others.</summary>
public enum CudaResult
{
    Success = 0,
    InvalidValue = 1,
    OutOfMemory = 2,
    NotInitialized = 3,
    StubLibrary = 34,
    DeviceUnavailable = 46,
    NoDevice = 100,
    InvalidDevice = 101,
    InvalidImage = 200,
    InvalidContext = 201,
    NoBinaryForGpu = 209,
    InvalidPtx = 218,
    UnsupportedPtxVersion = 222,
    InvalidHandle = 400,
    NotFound = 500,
    NotReady = 600,
    IllegalAddress = 700,
    LaunchOutOfResources = 701,
    LaunchTimeout = 702,
    HardwareStackError = 714,
    IllegalInstruction = 715,
    MisalignedAddress = 716,
    InvalidAddressSpace = 717,
    InvalidPc = 718,
    LaunchFailed = 719,
    CooperativeLaunchTooLarge = 720,
    SystemDriverMismatch = 803,
    CompatNotSupportedOnDevice = 804,
    StreamCaptureUnsupported = 900,
    StreamCaptureInvalidated = 901,
    GraphExecUpdateFailure = 910,
    InvalidClusterSize = 912,
    Unknown = 999,
}

/// <summary>What a reader of an error code should know and the driver does not say.</summary>
internal static class FailureAdvice
{
    /// <summary>A clause that follows the error's name; empty where there is nothing to add.</summary>
    public static string For(CudaResult result) => result switch
    {
        CudaResult.IllegalAddress or CudaResult.LaunchTimeout or CudaResult.HardwareStackError or CudaResult.IllegalInstruction
            or CudaResult.MisalignedAddress or CudaResult.InvalidAddressSpace or CudaResult.InvalidPc or CudaResult.LaunchFailed =>
            "; a kernel that was launched earlier may be at fault, and this context is lost",
        CudaResult.NoBinaryForGpu => "; the code was compiled for another GPU",
        CudaResult.UnsupportedPtxVersion => "; NVRTC is newer than the driver: update the driver or use an older NVRTC",
        CudaResult.StubLibrary => "; this is the toolkit's stub library, which only serves linking: name the driver's own",
        CudaResult.SystemDriverMismatch => "; the library and the kernel module are of different driver versions: a restart usually helps",
        CudaResult.CompatNotSupportedOnDevice => "; this forward-compatibility library does not serve this GPU",
        _ => string.Empty,
    };
}

/// <summary>What a call was about, as an interpolated string that is only put together when the call failed.</summary>
[InterpolatedStringHandler]
internal ref struct FailureDetail
{
    private DefaultInterpolatedStringHandler text;

    public FailureDetail(int literalLength, int formattedCount, CudaResult result, out bool isNeeded)
    {
        isNeeded = result != CudaResult.Success;
        text = isNeeded ? new DefaultInterpolatedStringHandler(literalLength, formattedCount) : default;
    }

    public void AppendLiteral(string value) => text.AppendLiteral(value);

    public void AppendFormatted<T>(T value) => text.AppendFormatted(value);

    public void AppendFormatted<T>(T value, string? format) => text.AppendFormatted(value, format);

    public string Epilogue() => text.ToStringAndClear();
}
