using System.Globalization;
using System.Runtime.InteropServices;
using XComposer2.Native.Cuda;
using XComposer2.Native.GpuTests;
using Xunit;

namespace XComposer2.Native.EmulatedDeviceTests;

/// <summary>The emulated device, built here, and what it offers to tests beyond a driver's functions. Where it cannot be built,
/// whatever needs it is skipped.</summary>
public sealed unsafe class EmulatedDevice : IDisposable
{
    /// <summary>What it is until <see cref="Become"/> says otherwise.</summary>
    public const int DefaultArchitecture = 80;

    private readonly Dictionary<(string Path, string Definitions, CudaTarget Target), CudaLibrary> libraries = [];
    private readonly string absence = string.Empty;
    private readonly CudaContext? context;
    private readonly CudaStream? stream;
    private readonly Nvrtc? compiler;
    private readonly nint library;
    private CudaTarget target = CudaTarget.Cubin(DefaultArchitecture);

    public EmulatedDevice()
    {
        string path;
        try
        {
            path = DeviceLibraries.BuildEmulatedDevice();
        }
        catch (CudaUnavailableException missing)
        {
            absence = missing.Message;
            return;
        }

        library = NativeLibrary.Load(path);
        ((delegate* unmanaged<int, void>)Export("xc2EmulatedPrint"))(0);
        CudaDriver driver = CudaDriver.Load(path);
        context = CudaContext.Open(driver.GetDevice(0));
        stream = CudaStream.Create(context);
        compiler = Nvrtc.Load(path, driver.Version);
    }

    public CudaContext Context
    {
        get
        {
            if (context is null)
                Assert.Skip(absence);
            return context;
        }
    }

    public CudaStream Stream => stream!;

    /// <summary>An export of the library.</summary>
    public nint Export(string name) => NativeLibrary.GetExport(library, name);

    public bool HasExport(string name) => NativeLibrary.TryGetExport(library, name, out _);

    /// <summary>Lets the device be of another generation from here on: 75, 80, 86, 89 or 90.</summary>
    public void Become(int architecture)
    {
        Assert.NotNull(Context);
        Configure("arch", architecture.ToString(CultureInfo.InvariantCulture));
        target = CudaTarget.Cubin(architecture, isSpecific: architecture == 90);
    }

    /// <summary>Forgets faults and errors, drops waiting work, and sets the order in which threads run.</summary>
    public void Begin(string schedule = "forward")
    {
        Assert.NotNull(Context);
        ((delegate* unmanaged<void>)Export("xc2EmulatedReset"))();
        Configure("schedule", schedule);
    }

    /// <summary>Everything that was found since <see cref="Begin"/>.</summary>
    public IReadOnlyList<DeviceFault> Faults
    {
        get
        {
            int count = ((delegate* unmanaged<int>)Export("xc2EmulatedFaultCount"))();
            var faults = new DeviceFault[count];
            for (int i = 0; i < count; i++)
            {
                NativeFault native;
                Assert.Equal(0, ((delegate* unmanaged<int, NativeFault*, int>)Export("xc2EmulatedFault"))(i, &native));
                faults[i] = new DeviceFault(
                    Marshal.PtrToStringUTF8(native.Kind)!,
                    Marshal.PtrToStringUTF8(native.Kernel)!,
                    Marshal.PtrToStringUTF8(native.Message)!,
                    native.Address,
                    new Dim3((int)native.BlockX, (int)native.BlockY, (int)native.BlockZ),
                    new Dim3((int)native.ThreadX, (int)native.ThreadY, (int)native.ThreadZ));
            }

            return faults;
        }
    }

    /// <summary>Compiles a kernel of this project, or of the repository, for what the device is now.</summary>
    public ReadOnlyMemory<byte> Compile(string path, params ReadOnlySpan<string> definitions)
    {
        Assert.NotNull(Context);
        return compiler!.Compile(KernelProgram.Read(TestKernels.Source, path), target, definitions.ToArray()).Image;
    }

    /// <summary>An entry, compiled when it is first asked for; the library stays loaded as long as the device.</summary>
    public CudaKernel GetKernel(string path, string entry, params ReadOnlySpan<string> definitions)
    {
        (string, string, CudaTarget) key = (path, string.Join(' ', definitions), target);
        if (!libraries.TryGetValue(key, out CudaLibrary? loaded))
            libraries.Add(key, loaded = CudaLibrary.Load(Context, path, Compile(path, definitions).Span));
        return loaded.GetKernel(entry);
    }

    /// <summary>Device memory that holds 0, 1, 2 ...</summary>
    public DeviceMemory AllocateFilled(int count)
    {
        DeviceMemory memory = DeviceMemory.Allocate(Context, count * sizeof(uint));
        uint[] values = [.. Enumerable.Range(0, count).Select(value => (uint)value)];
        Stream.CopyToDevice<uint>(memory.Span, values);
        return memory;
    }

    /// <summary>A setting of the device, as the environment names it.</summary>
    public void Configure(string name, string value)
    {
        Assert.NotNull(Context);
        nint nameText = Marshal.StringToCoTaskMemUTF8(name), valueText = Marshal.StringToCoTaskMemUTF8(value);
        int result = ((delegate* unmanaged<nint, nint, int>)Export("xc2EmulatedConfigure"))(nameText, valueText);
        Marshal.FreeCoTaskMem(nameText);
        Marshal.FreeCoTaskMem(valueText);
        Assert.Equal(0, result);
    }

    public void Dispose()
    {
        foreach (CudaLibrary loaded in libraries.Values)
            loaded.Dispose();
        stream?.Dispose();
        context?.Dispose();
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct NativeFault
    {
        public nint Kind, Kernel, Message;
        public ulong Address;
        public uint BlockX, BlockY, BlockZ, ThreadX, ThreadY, ThreadZ;
    }
}
