using System.Runtime.CompilerServices;

namespace XComposer2.Native.Cuda;

/// <summary>A failed driver call. The message names the call, the result code and the operands.</summary>
public sealed class CudaException : Exception
{
    internal CudaException(string call, CudaResult result, string message)
        : base(message)
    {
        Call = call;
        Result = result;
    }

    /// <summary>The exported name of the entry point: <c>cuMemAlloc_v2</c>.</summary>
    public string Call { get; }

    public CudaResult Result { get; }
}

/// <summary><c>CUresult</c>, the codes that are handled or explained here. The driver names the others.</summary>
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

/// <summary>Explanations of error codes beyond the driver's own text.</summary>
internal static class FailureAdvice
{
    /// <summary>A clause to append to the error's name; may be empty.</summary>
    public static string For(CudaResult result) => result switch
    {
        CudaResult.IllegalAddress or CudaResult.LaunchTimeout or CudaResult.HardwareStackError or CudaResult.IllegalInstruction
            or CudaResult.MisalignedAddress or CudaResult.InvalidAddressSpace or CudaResult.InvalidPc or CudaResult.LaunchFailed =>
            "; a kernel launched earlier may be at fault, and this context is no longer usable",
        CudaResult.NoBinaryForGpu => "; the code was compiled for another GPU",
        CudaResult.UnsupportedPtxVersion => "; NVRTC is newer than the driver: update the driver or use an older NVRTC",
        CudaResult.StubLibrary => "; this is the toolkit's stub library, which is for linking only: use the driver's own library",
        CudaResult.SystemDriverMismatch => "; library and kernel module have different driver versions: a restart usually helps",
        CudaResult.CompatNotSupportedOnDevice => "; this forward-compatibility library does not support this GPU",
        _ => string.Empty,
    };
}

/// <summary>Operands of a driver call as an interpolated string that is formatted only if the call fails.</summary>
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

    public string Finish() => text.ToStringAndClear();
}
