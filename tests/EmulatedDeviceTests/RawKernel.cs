using System.Runtime.InteropServices;
using Xunit;

namespace XComposer2.Native.EmulatedDeviceTests;

/// <summary>A kernel by the driver's own calls, without the wrappers that refuse a mistake before the device sees it.</summary>
internal sealed unsafe class RawKernel : IDisposable
{
    private const int MaxDynamicSharedSizeBytes = 8;
    private const nint ArgumentsEnd = 0, ArgumentsPointer = 1, ArgumentsSize = 2;

    private readonly EmulatedDevice device;
    private readonly nint library, kernel;

    public RawKernel(EmulatedDevice device, ReadOnlyMemory<byte> image, string entry)
    {
        this.device = device;
        nint made = 0, found = 0;
        var load = (delegate* unmanaged<nint*, byte*, void*, void*, uint, void*, void*, uint, int>)device.Export("cuLibraryLoadData");
        fixed (byte* bytes = image.Span)
            Assert.Equal(0, load(&made, bytes, null, null, 0, null, null, 0));
        library = made;
        nint name = Marshal.StringToCoTaskMemUTF8(entry);
        Assert.Equal(0, ((delegate* unmanaged<nint*, nint, nint, int>)device.Export("cuLibraryGetKernel"))(&found, library, name));
        Marshal.FreeCoTaskMem(name);
        kernel = found;
    }

    /// <summary>The driver's answer; 0: done.</summary>
    public int AllowDynamicShared(int sizeBytes) =>
        ((delegate* unmanaged<int, int, nint, int, int>)device.Export("cuKernelSetAttribute"))(MaxDynamicSharedSizeBytes, sizeBytes, kernel, 0);

    /// <summary>Loads its code; a first launch does, too.</summary>
    public int MakeReady()
    {
        nint function;
        return ((delegate* unmanaged<nint*, nint, int>)device.Export("cuKernelGetFunction"))(&function, kernel);
    }

    /// <summary>Queues one block, on the null stream if no other is named.</summary>
    public int Launch(int threads, int dynamicSharedBytes, void* arguments, int argumentsBytes, nint stream = 0)
    {
        nuint size = (nuint)argumentsBytes;
        nint* extra = stackalloc nint[] { ArgumentsPointer, (nint)arguments, ArgumentsSize, (nint)(&size), ArgumentsEnd };
        var launch = (delegate* unmanaged<nint, uint, uint, uint, uint, uint, uint, uint, nint, void*, nint*, int>)device.Export("cuLaunchKernel");
        return launch(
            kernel, 1, 1, 1, (uint)threads, 1, 1, (uint)dynamicSharedBytes, stream, null, extra);
    }

    public int Synchronise() => ((delegate* unmanaged<int>)device.Export("cuCtxSynchronize"))();

    public void Dispose() => Assert.Equal(0, ((delegate* unmanaged<nint, int>)device.Export("cuLibraryUnload"))(library));
}
