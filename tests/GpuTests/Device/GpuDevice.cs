using XComposer2.Native.Cuda;
using XComposer2.Native.Graph;
using XComposer2.Native.Kernels;
using Xunit;

namespace XComposer2.Native.GpuTests;

/// <summary>The device that all tests share: a GPU, or the emulated one. Compiles a specialisation at its first launch and keeps it.
/// Where there is no device, whatever needs it skips the test with the reason.</summary>
public sealed class GpuDevice : IDisposable
{
    /// <summary>Names a folder of kernels to test instead of the program's own.</summary>
    public const string KernelsVariable = "XC2_TEST_KERNELS";

    private readonly Dictionary<KernelDefinition, LoadedKernel> kernels = [];
    private readonly CudaContext? context;
    private readonly CudaStream? stream;
    private readonly Nvrtc? compiler;
    private readonly string absence = string.Empty;

    public GpuDevice()
    {
        try
        {
            CudaOptions options = DeviceLibraries.Find();
            CudaDriver driver = CudaDriver.Load(options.DriverLibrary);
            compiler = Nvrtc.Load(options.CompilerLibrary, driver.Version);
            context = CudaContext.Open(driver.GetDevice(options.Ordinal));
            stream = CudaStream.Create(context);
        }
        catch (CudaUnavailableException missing)
        {
            absence = missing.Message;
        }
    }

    public CudaContext Context => context ?? throw Skip();

    public CudaStream Stream => stream ?? throw Skip();

    public ComputeCapability Capability => Context.Device.Capability;

    /// <summary>Storage types whose kernels this generation runs: 16-bit ones on tensor cores, F32 for tests.</summary>
    public bool Supports(DType storage) => storage != DType.BF16 || Capability.Number >= 80;

    /// <summary>Skips the test, aloud, where the program would refuse to run in this storage type.</summary>
    /// <param name="storage">As on the command line.</param>
    public void Require(string storage)
    {
        if (!Supports(Enum.Parse<DType>(storage, ignoreCase: true))) Assert.Skip($"{storage} has no tensor cores on {Capability}");
    }

    /// <summary>Runs a kernel and waits for it, so that a fault is this launch's.</summary>
    public void Run<T>(KernelDefinition definition, LaunchGeometry geometry, in T arguments)
        where T : unmanaged
    {
        Load(definition).Launch(Stream, geometry, arguments);
        Stream.Synchronize();
    }

    /// <summary>The compiled kernel, for captures and for questions about registers.</summary>
    public CudaKernel Load(KernelDefinition definition)
    {
        if (kernels.TryGetValue(definition, out LoadedKernel? known)) return known.Kernel;
        if (!definition.Serves(Capability)) Assert.Skip($"{definition.Source} has no form for compute capability {Capability}");
        LoadedKernel loaded = Compile(definition);
        kernels.Add(definition, loaded);
        return loaded.Kernel;
    }

    /// <summary>Device memory with a copy of the values.</summary>
    public DeviceArray<T> Upload<T>(ReadOnlySpan<T> values)
        where T : unmanaged => DeviceArray<T>.Upload(this, values);

    /// <inheritdoc cref="Upload{T}(ReadOnlySpan{T})"/>
    public DeviceArray<T> Upload<T>(T[] values)
        where T : unmanaged => DeviceArray<T>.Upload(this, values);

    /// <summary>Device memory whose every byte is 0xFF: not a number in each floating type, -1 in each integer.</summary>
    public DeviceArray<T> Allocate<T>(int count)
        where T : unmanaged => DeviceArray<T>.Allocate(this, count);

    /// <summary>Device memory with the values rounded to a storage type.</summary>
    public DeviceFloats Upload(ReadOnlySpan<float> values, DType storage) => new(Upload<byte>(StoredFloats.Encode(values, storage)), storage);

    /// <summary>Device memory for results of a storage type, not numbers yet.</summary>
    public DeviceFloats Allocate(int count, DType storage) => new(Allocate<byte>(count * storage.ElementBytes()), storage);

    public void Dispose()
    {
        foreach (LoadedKernel kernel in kernels.Values)
            kernel.Dispose();
        stream?.Dispose();
        context?.Dispose();
    }

    private static IKernelSource Source => Environment.GetEnvironmentVariable(KernelsVariable) is { Length: > 0 } folder
        ? new FolderKernelSource(folder)
        : new EmbeddedKernelSource(typeof(KernelDefinition).Assembly);

    private LoadedKernel Compile(KernelDefinition definition)
    {
        CudaTarget target = CudaTarget.For(Capability, compiler!);
        KernelProgram program = KernelProgram.Read(Source, definition.Source);
        CompiledKernel compiled = compiler!.Compile(program, target, definition.Options);
        return new LoadedKernel(CudaLibrary.Load(Context, $"{definition.Source} for {target}", compiled.Image.Span), definition);
    }

    private InvalidOperationException Skip()
    {
        Assert.Skip(absence);
        return new InvalidOperationException(absence);
    }
}
