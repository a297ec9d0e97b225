using System.Runtime.InteropServices;
using XComposer2.Native.Cuda;
using Xunit;

namespace XComposer2.Native.EmulatedDeviceTests;

/// <summary>A driver loads a kernel's code when it is first used: in a capture that fails, and the log buffer of the library is written to then.</summary>
public sealed unsafe class LazyLoadingTests(EmulatedDevice device)
{
    private const int LogBytes = 4096, ErrorLogBuffer = 5, ErrorLogBufferBytes = 6, CaptureUnsupported = 900, Threads = 64;

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_kernel_that_is_not_ready_is_refused_in_a_capture(bool isReady)
    {
        device.Begin();
        using var kernel = new RawKernel(device, device.Compile("static_shared.cu", "-DSTATIC_WORDS=256"), "static_shared");
        using DeviceMemory result = DeviceMemory.Allocate(device.Context, Threads * sizeof(uint));
        ulong argument = result.Span.Pointer.Address;
        if (isReady)
            Assert.Equal(0, kernel.MakeReady());
        nint stream, graph;
        Assert.Equal(0, ((delegate* unmanaged<nint*, uint, int, int>)device.Export("cuStreamCreateWithPriority"))(&stream, 1, 0));
        Assert.Equal(0, ((delegate* unmanaged<nint, int, int>)device.Export("cuStreamBeginCapture_v2"))(stream, 1));
        int answer = kernel.Launch(Threads, 0, &argument, sizeof(ulong), stream);
        int end = ((delegate* unmanaged<nint, nint*, int>)device.Export("cuStreamEndCapture"))(stream, &graph);
        Assert.Equal(0, ((delegate* unmanaged<nint, int>)device.Export("cuStreamDestroy_v2"))(stream));
        if (isReady)
        {
            Assert.Equal((0, 0), (answer, end));
            Assert.Equal(0, ((delegate* unmanaged<nint, int>)device.Export("cuGraphDestroy"))(graph));
            Assert.Empty(device.Faults);
        }
        else
        {
            Assert.Equal(CaptureUnsupported, answer);
            Assert.NotEqual(0, end);
            DeviceFault found = Assert.Single(device.Faults);
            Assert.Contains("kernel static_shared: cuLaunchKernel would load its code, which cuKernelGetFunction does before", found.Message, StringComparison.Ordinal);
        }

        device.Begin();
    }

    /// <summary>Freed memory is somebody else's by the time it is looked at.</summary>
    [Theory]
    [InlineData(false, 0)]
    [InlineData(true, 0)]
    [InlineData(true, LogBytes - 1)]
    public void The_log_buffer_lives_as_long_as_the_library(bool isOverwritten, int at)
    {
        device.Begin();
        byte* log = (byte*)NativeMemory.AllocZeroed(LogBytes);
        try
        {
            nint library = LoadWithLog(device.Compile("static_shared.cu", "-DSTATIC_WORDS=256"), log);
            if (isOverwritten)
                NativeMemory.Fill(log + (at == 0 ? 0 : at - 16), at == 0 ? 16u : 17u, 0xDD);
            int unload = ((delegate* unmanaged<nint, int>)device.Export("cuLibraryUnload"))(library);
            if (isOverwritten)
            {
                Assert.NotEqual(0, unload);
                DeviceFault found = Assert.Single(device.Faults);
                Assert.Equal(("use_after_free", (ulong)log), (found.Kind, found.Address));
            }
            else
            {
                Assert.Equal(0, unload);
                Assert.Empty(device.Faults);
            }
        }
        finally
        {
            NativeMemory.Free(log);
            device.Begin();
        }
    }

    /// <summary>The program's own libraries: everything that follows would fail where they freed it.</summary>
    [Fact]
    public void The_programs_libraries_keep_their_log()
    {
        device.Begin();
        ReadOnlyMemory<byte> image = device.Compile("static_shared.cu", "-DSTATIC_WORDS=256");
        CudaLibrary library = CudaLibrary.Load(device.Context, "static_shared.cu", image.Span);
        Span<byte> somethingElse = stackalloc byte[2 * LogBytes];
        somethingElse.Fill(0xDD);
        library.GetKernel("static_shared");
        library.Dispose();
        Assert.Empty(device.Faults);
    }

    private nint LoadWithLog(ReadOnlyMemory<byte> image, byte* log)
    {
        nint library;
        int* options = stackalloc int[] { ErrorLogBuffer, ErrorLogBufferBytes };
        void** values = stackalloc void*[] { log, (void*)LogBytes };
        var load = (delegate* unmanaged<nint*, byte*, int*, void**, uint, void*, void*, uint, int>)device.Export("cuLibraryLoadData");
        fixed (byte* bytes = image.Span)
            Assert.Equal(0, load(&library, bytes, options, values, 2, null, null, 0));
        return library;
    }
}
