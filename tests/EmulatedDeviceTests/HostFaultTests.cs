using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using XComposer2.Native.Cuda;
using Xunit;

namespace XComposer2.Native.EmulatedDeviceTests;

/// <summary>Mistakes of the host, and launches that a device refuses: each is found, and the same calls without it pass.</summary>
public sealed unsafe class HostFaultTests(EmulatedDevice device)
{
    private const int Threads = 64, Count = 256, Kibibyte = 1024;

    /// <summary>What a launch may take without asking for more.</summary>
    private const int SharedWithoutAskingBytes = 48 * Kibibyte;

    private const string Source = "planted_fault.cu", Entry = "past_dynamic_shared_memory";

    [StructLayout(LayoutKind.Sequential)]
    private struct Arguments
    {
        public ulong Data, Result;
        public uint Planted;
    }

    [Fact]
    public void Freeing_twice()
    {
        device.Begin();
        DeviceMemory data = DeviceMemory.Allocate(device.Context, 64);
        ulong pointer = data.Span.Pointer.Address;
        data.Dispose();
        Assert.Empty(device.Faults);
        var free = (delegate* unmanaged<ulong, int>)device.Export("cuMemFree_v2");
        Assert.NotEqual(0, free(pointer));
        DeviceFault found = Assert.Single(device.Faults);
        Assert.Equal(("double_free", pointer), (found.Kind, found.Address));
        device.Begin();
    }

    [Fact]
    public void Copying_from_freed_memory()
    {
        device.Begin();
        DeviceMemory data = device.AllocateFilled(Count);
        ulong pointer = data.Span.Pointer.Address;
        uint value;
        var copy = (delegate* unmanaged<void*, ulong, nuint, int>)device.Export("cuMemcpyDtoH_v2");
        Assert.Equal(0, copy(&value, pointer + 12, sizeof(uint)));
        Assert.Equal(3u, value);
        Assert.Empty(device.Faults);
        data.Dispose();
        Assert.NotEqual(0, copy(&value, pointer + 12, sizeof(uint)));
        DeviceFault found = Assert.Single(device.Faults);
        Assert.Equal(("use_after_free", pointer + 12), (found.Kind, found.Address));
        device.Begin();
    }

    /// <summary>A driver that is given pointers to the arguments cannot see their sizes (there the kernel's static_assert must);
    /// one that is given their bytes can.</summary>
    [Theory]
    [InlineData(-8)]
    [InlineData(-1)]
    [InlineData(8)]
    public void Arguments_of_the_wrong_size(int differenceBytes)
    {
        device.Begin();
        using var kernel = new RawKernel(device, device.Compile(Source), Entry);
        using DeviceMemory data = device.AllocateFilled(Count), result = DeviceMemory.Allocate(device.Context, Threads * sizeof(uint));
        byte* bytes = stackalloc byte[sizeof(Arguments) + 8];
        *(Arguments*)bytes = new Arguments { Data = data.Span.Pointer.Address, Result = result.Span.Pointer.Address };
        Assert.NotEqual(0, kernel.Launch(Threads, Threads * sizeof(uint), bytes, sizeof(Arguments) + differenceBytes));
        DeviceFault found = Assert.Single(device.Faults);
        Assert.Equal("bad_argument", found.Kind);
        string expected = $"kernel {Entry}: {sizeof(Arguments) + differenceBytes} bytes of arguments given, 24 expected";
        Assert.Contains(expected, found.Message, StringComparison.Ordinal);
        device.Begin();
        Assert.Equal(0, kernel.Launch(Threads, Threads * sizeof(uint), bytes, sizeof(Arguments)));
        device.Stream.Synchronize();
        Assert.Equal(0, kernel.Synchronise());
        Assert.Empty(device.Faults);
    }

    [Theory]
    [InlineData(75, 64)]
    [InlineData(80, 163)]
    [InlineData(86, 99)]
    [InlineData(90, 227)]
    public void More_dynamic_shared_memory_than_there_is(int architecture, int limitKibibytes)
    {
        device.Become(architecture);
        device.Begin();
        try
        {
            using var kernel = new RawKernel(device, device.Compile("static_shared.cu", "-DSTATIC_WORDS=256"), "static_shared");
            using DeviceMemory result = DeviceMemory.Allocate(device.Context, Threads * sizeof(uint));
            ulong argument = result.Span.Pointer.Address;
            int mostBytes = (limitKibibytes - 1) * Kibibyte;
            AssertRefused("static_shared", kernel.Launch(Threads, SharedWithoutAskingBytes - Kibibyte + 1, &argument, sizeof(ulong)));
            AssertRefused("static_shared", kernel.AllowDynamicShared(mostBytes + 1));
            Assert.Equal(0, kernel.Launch(Threads, SharedWithoutAskingBytes - Kibibyte, &argument, sizeof(ulong)));
            Assert.Equal(0, kernel.AllowDynamicShared(mostBytes));
            AssertRefused("static_shared", kernel.Launch(Threads, mostBytes + 1, &argument, sizeof(ulong)));
            Assert.Equal(0, kernel.Launch(Threads, mostBytes, &argument, sizeof(ulong)));
            Assert.Equal(0, kernel.Synchronise());
            Assert.Empty(device.Faults);
        }
        finally
        {
            device.Become(EmulatedDevice.DefaultArchitecture);
            device.Begin();
        }
    }

    /// <summary>Dynamic shared memory begins behind the variables, at a multiple of 1024 and never of 4096: who asks for a greater alignment does not get it
    /// by luck.</summary>
    [Theory]
    [InlineData(16)]
    [InlineData(1000)]
    [InlineData(3072)]
    [InlineData(40000)]
    public void Dynamic_shared_memory_lies_behind_the_variables(int staticBytes)
    {
        device.Begin();
        const ulong Alignment = 1024, Page = 4096;
        CudaKernel kernel = device.GetKernel("shared_places.cu", "shared_places", $"-DSTATIC_BYTES={staticBytes}");
        using DeviceMemory result = DeviceMemory.Allocate(device.Context, 4 * sizeof(ulong));
        kernel.Launch(device.Stream, new LaunchGeometry(1, 32, Kibibyte), result.Span.Pointer);
        ulong[] places = new ulong[4];
        device.Stream.CopyToHost<ulong>(places, result.Span);
        Assert.True(places[0] >= Alignment && places[1] >= places[0] + (ulong)staticBytes, $"variable at {places[0]}, dynamic at {places[1]}");
        Assert.Equal((0UL, 0UL), (places[1] % Alignment, places[3] % Alignment));
        Assert.NotEqual(0UL, places[1] % Page);
        Assert.Equal(places[1] % Page, places[3] % Page);
        Assert.Equal(places[0] % Alignment, places[2] % Alignment);
        Assert.Empty(device.Faults);
    }

    /// <summary>No generation has a kernel with more, whatever its multiprocessor holds: the real compiler refuses it.</summary>
    [Fact]
    public void More_static_shared_memory_than_a_kernel_may_have()
    {
        device.Begin();
        const int MostWords = SharedWithoutAskingBytes / sizeof(uint);
        CudaException refusal = Assert.Throws<CudaException>(
            () => device.GetKernel("static_shared.cu", "static_shared", $"-DSTATIC_WORDS={MostWords + 1}"));
        Assert.Contains("static_shared", refusal.Message, StringComparison.Ordinal);
        AssertRefused("static_shared", (int)refusal.Result);
        using DeviceMemory result = DeviceMemory.Allocate(device.Context, Threads * sizeof(uint));
        CudaKernel kernel = device.GetKernel("static_shared.cu", "static_shared", $"-DSTATIC_WORDS={MostWords}");
        kernel.Launch(device.Stream, new LaunchGeometry(1, Threads), result.Span.Pointer);
        device.Stream.Synchronize();
        Assert.Empty(device.Faults);
    }

    [Fact]
    public void More_threads_than_the_kernel_promises()
    {
        device.Begin();
        using var kernel = new RawKernel(device, device.Compile("static_shared.cu", "-DSTATIC_WORDS=256"), "static_shared");
        using DeviceMemory result = DeviceMemory.Allocate(device.Context, Threads * sizeof(uint));
        ulong argument = result.Span.Pointer.Address;
        AssertRefused("static_shared", kernel.Launch(Threads + 1, 0, &argument, sizeof(ulong)));
        Assert.Equal(0, kernel.Launch(Threads, 0, &argument, sizeof(ulong)));
        Assert.Equal(0, kernel.Synchronise());
        Assert.Empty(device.Faults);
    }

    [Fact]
    public void Reading_on_the_host_before_the_copy_is_done()
    {
        device.Begin();
        using DeviceMemory data = device.AllocateFilled(Count);
        using PinnedMemory host = PinnedMemory.Allocate(device.Context, Count * sizeof(uint));
        host.Span.AsSpan<uint>().Fill(1);
        device.Stream.CopyToHost(host.Span, data.Span);
        ref uint word = ref host.Span.AsSpan<uint>()[3];
        Assert.Equal(1u, Volatile.Read(ref word));
        AssertTouched(ref word);
        device.Begin();
        device.Stream.CopyToHost(host.Span, data.Span);
        device.Stream.Synchronize();
        Assert.Equal(3u, Volatile.Read(ref word));
        Assert.Empty(device.Faults);
    }

    [Fact]
    public void Writing_on_the_host_what_is_still_to_be_copied()
    {
        device.Begin();
        using DeviceMemory data = device.AllocateFilled(Count);
        using PinnedMemory host = PinnedMemory.Allocate(device.Context, Count * sizeof(uint));
        host.Span.AsSpan<uint>().Fill(1);
        device.Stream.CopyToDevice(data.Span, host.Span);
        ref uint word = ref host.Span.AsSpan<uint>()[3];
        Volatile.Write(ref word, 2);
        AssertTouched(ref word);
        device.Begin();
        device.Stream.CopyToDevice(data.Span, host.Span);
        Assert.Equal(2u, Volatile.Read(ref word));
        device.Stream.Synchronize();
        Volatile.Write(ref word, 4);
        Assert.Empty(device.Faults);
    }

    /// <summary>It is told by the next call that waits.</summary>
    private void AssertTouched(ref uint word)
    {
        device.Stream.Synchronize();
        DeviceFault found = Assert.Single(device.Faults);
        var address = (ulong)Unsafe.AsPointer(ref word);
        Assert.Equal(("host_access_before_synchronise", address), (found.Kind, found.Address));
    }

    private void AssertRefused(string entry, int result)
    {
        Assert.NotEqual(0, result);
        DeviceFault found = Assert.Single(device.Faults);
        Assert.Equal("launch_limits", found.Kind);
        Assert.Contains($"kernel {entry}: ", found.Message, StringComparison.Ordinal);
        device.Begin();
    }
}
