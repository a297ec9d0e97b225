using System.Globalization;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace XComposer2.Native.Cuda;

/// <summary>
/// A loaded and initialised driver library. Several can coexist in one process. It is never unloaded, so it is not disposable.
/// </summary>
public sealed unsafe class CudaDriver
{
    /// <summary>The first driver with the library API, extensible launches and second versions of the graph calls.</summary>
    public static readonly CudaVersion MinimumVersion = new(12, 0);

    /// <summary>The oldest GPU generation whose tensor cores the kernels can use.</summary>
    public static readonly ComputeCapability MinimumCapability = new(7, 5);

    private const string LibraryVariable = "XC2_CUDA_DRIVER";

    internal CudaDriver(INativeExports exports)
    {
        Library = exports.Name;
        Version = ReadVersion(exports);
        Functions = new DriverFunctions(exports);
        Initialize();
        Devices = ReadDevices();
    }

    /// <summary>The library's path or loader name.</summary>
    public string Library { get; }

    /// <summary>The newest CUDA version that the driver supports.</summary>
    public CudaVersion Version { get; }

    /// <summary>At least one.</summary>
    public IReadOnlyList<CudaDevice> Devices { get; }

    internal DriverFunctions Functions { get; }

    /// <summary>Loads and initialises a driver.</summary>
    /// <param name="library">Path or loader name; null searches <c>XC2_CUDA_DRIVER</c> and then the system library.</param>
    /// <exception cref="CudaUnavailableException">The library is missing or too old, or there is no device.</exception>
    public static CudaDriver Load(string? library = null) => Load(library, Environment.GetEnvironmentVariable);

    internal static CudaDriver Load(string? library, Func<string, string?> environment)
    {
        LibrarySearch search = new(library, LibraryVariable, environment, LibraryNames.Driver);
        LoadedLibrary loaded = search.Load().FirstOrDefault() ?? throw new CudaUnavailableException(
            CudaUnavailableReason.DriverNotFound,
            $"the CUDA driver library was not found ({search.Outcome}). "
            + $"Install an NVIDIA driver {Requirement}, or set {LibraryVariable} to the path of its library");
        return new CudaDriver(loaded);
    }

    /// <summary>A GPU that the kernels support.</summary>
    /// <exception cref="CudaUnavailableException">There is no device with this ordinal, or it is too old.</exception>
    public CudaDevice GetDevice(int ordinal)
    {
        if (ordinal < 0 || ordinal >= Devices.Count)
            throw new CudaUnavailableException(
                CudaUnavailableReason.NoDevice,
                $"there is no CUDA device {ordinal}: the driver lists {string.Join("; ", Devices.Select(device => $"{device.Ordinal}, {device}"))}");
        CudaDevice found = Devices[ordinal];
        return found.Capability.Number >= MinimumCapability.Number
            ? found
            : throw new CudaUnavailableException(
                CudaUnavailableReason.DeviceTooOld, $"device {ordinal}, {found}, is too old: compute capability {MinimumCapability} or newer is required");
    }

    internal void Check(CudaResult result, string call)
    {
        if (result != CudaResult.Success)
            throw Failure(result, call, string.Empty);
    }

    internal void Check(CudaResult result, string call, [InterpolatedStringHandlerArgument(nameof(result))] ref FailureDetail detail)
    {
        if (result != CudaResult.Success)
            throw Failure(result, call, $" ({detail.Finish()})");
    }

    internal CudaException Failure(CudaResult result, string call, string detail) =>
        new(call, result, $"{call}{detail} failed: {Describe(result)}{FailureAdvice.For(result)}");

    /// <summary>For example "CUDA_ERROR_OUT_OF_MEMORY (2), out of memory".</summary>
    private string Describe(CudaResult result)
    {
        byte* name = null, text = null;
        // These two fail for codes unknown to the driver.
        bool isNamed = Functions.cuGetErrorName(result, &name) == CudaResult.Success && name != null;
        bool isExplained = Functions.cuGetErrorString(result, &text) == CudaResult.Success && text != null;
        string description = $"{(isNamed ? Marshal.PtrToStringUTF8((nint)name) : result.ToString())} ({(int)result})";
        return isExplained ? $"{description}, {Marshal.PtrToStringUTF8((nint)text)}" : description;
    }

    private static string Requirement => $"for CUDA {MinimumVersion} or newer (525.60 on Linux, 527.41 on Windows)";

    private static CudaVersion ReadVersion(INativeExports exports)
    {
        int number = 0;
        var read = (delegate* unmanaged<int*, CudaResult>)exports.Find(nameof(DriverFunctions.cuDriverGetVersion));
        CudaResult result = read(&number);
        if (result != CudaResult.Success)
            throw new CudaUnavailableException(
                CudaUnavailableReason.InitializationFailed,
                $"{exports.Name}: {nameof(DriverFunctions.cuDriverGetVersion)} returned {(int)result}{FailureAdvice.For(result)}");
        CudaVersion version = CudaVersion.FromNumber(number);
        return version.IsAtLeast(MinimumVersion)
            ? version
            : throw new CudaUnavailableException(
                CudaUnavailableReason.DriverTooOld,
                $"the CUDA driver {exports.Name} is too old: it supports CUDA {version}; install a driver {Requirement}");
    }

    private void Initialize()
    {
        CudaResult result = Functions.cuInit(0);
        if (result == CudaResult.Success) return;
        throw result == CudaResult.NoDevice
            ? NoDevice($"cuInit returned {Describe(result)}")
            : new CudaUnavailableException(
                CudaUnavailableReason.InitializationFailed,
                $"the CUDA driver {Library} does not start: {nameof(DriverFunctions.cuInit)} returned {Describe(result)}{FailureAdvice.For(result)}");
    }

    private CudaDevice[] ReadDevices()
    {
        int count = 0;
        Check(Functions.cuDeviceGetCount(&count), nameof(DriverFunctions.cuDeviceGetCount));
        if (count < 1) throw NoDevice("cuDeviceGetCount returned 0 devices");
        CudaDevice[] devices = new CudaDevice[count];
        for (int ordinal = 0; ordinal < count; ordinal++)
            devices[ordinal] = new CudaDevice(this, ordinal);
        return devices;
    }

    private CudaUnavailableException NoDevice(string answer) => new(
        CudaUnavailableReason.NoDevice,
        $"the CUDA driver {Library} (CUDA {Version}) finds no device: {answer}. "
        + "Is there an NVIDIA GPU, is it accessible to this user or container, and does CUDA_VISIBLE_DEVICES include it?");
}

/// <summary>A CUDA version, of a driver or of NVRTC.</summary>
public readonly record struct CudaVersion(int Major, int Minor)
{
    /// <summary>Converts CUDA's version number: 12040 is 12.4.</summary>
    public static CudaVersion FromNumber(int number) => new(number / 1000, number % 1000 / 10);

    public bool IsAtLeast(CudaVersion other) => Major > other.Major || (Major == other.Major && Minor >= other.Minor);

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Major}.{Minor}");
}
