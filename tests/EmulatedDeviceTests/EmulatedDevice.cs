using System.Diagnostics;
using System.Runtime.InteropServices;
using XComposer2.Native.Cuda;
using XComposer2.Native.GpuTests;
using Xunit;

namespace XComposer2.Native.EmulatedDeviceTests;

/// <summary>The emulated device, built here, and what it offers to tests beyond a driver's functions. Where there is no g++, whatever needs it is skipped.</summary>
public sealed unsafe class EmulatedDevice : IDisposable
{
    private static readonly TimeSpan buildLimit = TimeSpan.FromMinutes(10);

    private readonly string absence = string.Empty;
    private readonly CudaContext? context;
    private readonly CudaStream? stream;
    private readonly Nvrtc? compiler;
    private readonly nint library;
    private CudaTarget target = CudaTarget.Cubin(80);

    public EmulatedDevice()
    {
        if (Build() is { } missing)
        {
            absence = missing;
            return;
        }

        string path = RepositoryPaths.Find("artifacts/emulated-device/libxc2_emulated.so");
        library = NativeLibrary.Load(path);
        ((delegate* unmanaged<int, void>)NativeLibrary.GetExport(library, "xc2EmulatedPrint"))(0);
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
        Assert.Equal(0, Configure("arch", architecture.ToString(System.Globalization.CultureInfo.InvariantCulture)));
        target = CudaTarget.Cubin(architecture, isSpecific: architecture == 90);
    }

    /// <summary>Forgets faults and errors, drops waiting work, and sets the order in which threads run.</summary>
    public void Begin(string schedule = "forward")
    {
        Assert.NotNull(Context);
        ((delegate* unmanaged<void>)Export("xc2EmulatedReset"))();
        Assert.Equal(0, Configure("schedule", schedule));
    }

    private int Configure(string name, string value)
    {
        nint nameText = Marshal.StringToCoTaskMemUTF8(name), valueText = Marshal.StringToCoTaskMemUTF8(value);
        int result = ((delegate* unmanaged<nint, nint, int>)Export("xc2EmulatedConfigure"))(nameText, valueText);
        Marshal.FreeCoTaskMem(nameText);
        Marshal.FreeCoTaskMem(valueText);
        return result;
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

    /// <summary>A kernel of this project, or of the repository, compiled with these definitions.</summary>
    public CudaLibrary Compile(string path, params ReadOnlySpan<string> definitions)
    {
        Assert.NotNull(Context);
        KernelProgram program = KernelProgram.Read(TestKernels.Source, path);
        CompiledKernel compiled = compiler!.Compile(program, target, definitions.ToArray());
        return CudaLibrary.Load(Context, path, compiled.Image.Span);
    }

    public void Dispose()
    {
        stream?.Dispose();
        context?.Dispose();
    }

    /// <summary>Null where the library is there now, else what is missing.</summary>
    private static string? Build()
    {
        using Process build = Process.Start(new ProcessStartInfo("sh", [RepositoryPaths.Find("tests/EmulatedDevice/build.sh")]) { RedirectStandardError = true })!;
        Task<string> errors = build.StandardError.ReadToEndAsync();
        Assert.True(build.WaitForExit(buildLimit), "building the emulated device takes too long");
        const int NoCompiler = 3;
        if (build.ExitCode == NoCompiler)
            return errors.Result.Trim();
        Assert.True(build.ExitCode == 0, $"the emulated device does not build: {errors.Result}");
        return null;
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct NativeFault
    {
        public nint Kind, Kernel, Message;
        public ulong Address;
        public uint BlockX, BlockY, BlockZ, ThreadX, ThreadY, ThreadZ;
    }
}
