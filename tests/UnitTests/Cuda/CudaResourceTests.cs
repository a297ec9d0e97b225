using XComposer2.Native.Cuda;
using Xunit;

namespace XComposer2.Native.UnitTests;

/// <summary>Ownership: every resource is released once, in any order, and errors name the failed call.</summary>
[Collection(FakeDriver.Collection)]
public sealed class CudaResourceTests
{
    private readonly FakeDriver native = new();
    private readonly CudaContext context;

    public CudaResourceTests() => context = CudaContext.Open(new CudaDriver(native).GetDevice(0));

    [Fact]
    public void Repeated_disposal_releases_once()
    {
        IDisposable[] resources = MakeAll();
        // The context, and the memory behind the reserved addresses.
        Assert.Equal(resources.Length + 2, native.Alive.Count);
        foreach (IDisposable resource in resources.Concat(resources).Append(context).Append(context))
            resource.Dispose();
        Assert.Empty(native.Alive);
        Assert.Empty(native.WrongReleases);
        Assert.Null(context.FirstReleaseFailure);
    }

    [Fact]
    public void Context_outlives_its_resources()
    {
        IDisposable[] resources = MakeAll();
        context.Dispose();
        Assert.Contains(native.Alive, alive => alive.Kind == "context");
        foreach (IDisposable resource in resources) resource.Dispose();
        Assert.Equal("context", native.Released[^1]);
        Assert.Empty(native.Alive);
        Assert.Empty(native.WrongReleases);
    }

    [Fact]
    public void Disposed_context_creates_no_resources()
    {
        using DeviceMemory memory = DeviceMemory.Allocate(context, 16);
        context.Dispose();
        Assert.Throws<ObjectDisposedException>(() => DeviceMemory.Allocate(context, 16));
        Assert.Throws<ObjectDisposedException>(() => CudaStream.Create(context));
        Assert.Throws<ObjectDisposedException>(() => context.ReadMemory());
    }

    [Fact]
    public void Disposed_resources_are_rejected()
    {
        using CudaStream alive = CudaStream.Create(context);
        CudaStream stream = CudaStream.Create(context);
        CudaEvent mark = CudaEvent.Create(context);
        DeviceMemory memory = DeviceMemory.Allocate(context, 16);
        PinnedMemory pinned = PinnedMemory.Allocate(context, 16);
        CudaKernel kernel = LoadKernel(out CudaLibrary library);
        using CudaKernelLibraryPair other = new(LoadKernel(out CudaLibrary second), second);
        foreach (IDisposable resource in (IDisposable[])[stream, mark, memory, pinned, library]) resource.Dispose();
        Assert.Throws<ObjectDisposedException>(stream.Synchronize);
        Assert.Throws<ObjectDisposedException>(() => alive.Record(mark));
        Assert.Throws<ObjectDisposedException>(() => memory.Span);
        Assert.Throws<ObjectDisposedException>(() => { _ = pinned.Span; });
        Assert.Throws<ObjectDisposedException>(() => kernel.Launch(alive, new LaunchGeometry(1, 1), 0));
        Assert.Throws<ObjectDisposedException>(() => other.Kernel.Launch(stream, new LaunchGeometry(1, 1), 0));
    }

    [Theory]
    [InlineData("cuMemAlloc_v2")]
    [InlineData("cuMemHostAlloc")]
    [InlineData("cuMemGetAllocationGranularity")]
    [InlineData("cuMemAddressReserve")]
    [InlineData("cuMemMap")]
    [InlineData("cuMemSetAccess")]
    [InlineData("cuMemHostGetDevicePointer_v2")]
    [InlineData("cuStreamCreateWithPriority")]
    [InlineData("cuEventCreate")]
    [InlineData("cuLibraryLoadData")]
    [InlineData("cuLibraryGetKernel")]
    [InlineData("cuKernelGetFunction")]
    [InlineData("cuKernelGetAttribute")]
    [InlineData("cuStreamEndCapture")]
    [InlineData("cuGraphInstantiateWithFlags")]
    [InlineData("cuCtxSetCurrent")]
    public void Failed_call_is_named_and_leaks_nothing(string call)
    {
        native.Failures[call] = CudaResult.OutOfMemory;
        List<IDisposable> made = [];
        CudaException failure = Assert.Throws<CudaException>(() => MakeAll(made));
        Assert.Equal((call, CudaResult.OutOfMemory), (failure.Call, failure.Result));
        Assert.StartsWith(call, failure.Message, StringComparison.Ordinal);
        Assert.Contains(" failed: CUDA_ERROR_OUT_OF_MEMORY (2), out of memory", failure.Message, StringComparison.Ordinal);
        native.Failures.Clear();
        foreach (IDisposable resource in made) resource.Dispose();
        context.Dispose();
        Assert.Empty(native.Alive);
        Assert.Empty(native.WrongReleases);
    }

    [Fact]
    public void Out_of_memory_error_states_free_memory()
    {
        native.Failures["cuMemAlloc_v2"] = CudaResult.OutOfMemory;
        CudaException failure = Assert.Throws<CudaException>(() => DeviceMemory.Allocate(context, 1_000_000));
        Assert.Equal(
            "cuMemAlloc_v2 (1000000 bytes on Fake GPU (compute capability 9.0), 12345 of 67890 bytes free) failed: CUDA_ERROR_OUT_OF_MEMORY (2), out of memory",
            failure.Message);
    }

    [Fact]
    public void Disposal_after_a_fault_does_not_throw_and_is_recorded()
    {
        IDisposable[] resources = MakeAll();
        native.Failures[FakeDriver.Everything] = CudaResult.IllegalAddress;
        foreach (IDisposable resource in resources.Append(context)) resource.Dispose();
        Assert.Equal(CudaResult.IllegalAddress, context.FirstReleaseFailure?.Result);
        Assert.Contains("a kernel launched earlier may be at fault", context.FirstReleaseFailure!.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Abandoned_capture_is_ended_and_discarded()
    {
        using CudaStream stream = CudaStream.Create(context);
        using (stream.BeginCapture())
            Assert.Empty(native.Released);
        Assert.Contains("graph", native.Released);
        Assert.DoesNotContain(native.Alive, alive => alive.Kind == "graph");
    }

    [Fact]
    public void Busy_stream_is_not_an_error()
    {
        using CudaStream stream = CudaStream.Create(context);
        Assert.True(stream.IsIdle());
        native.Failures["cuStreamQuery"] = CudaResult.NotReady;
        Assert.False(stream.IsIdle());
        native.Failures["cuStreamQuery"] = CudaResult.LaunchFailed;
        Assert.Equal(CudaResult.LaunchFailed, Assert.Throws<CudaException>(() => stream.IsIdle()).Result);
    }

    [Fact]
    public void Copies_outside_source_or_destination_are_rejected()
    {
        using CudaStream stream = CudaStream.Create(context);
        using DeviceMemory memory = DeviceMemory.Allocate(context, 100);
        Assert.Throws<ArgumentException>(() => stream.CopyToDevice<byte>(memory.Span, new byte[99]));
        Assert.Throws<ArgumentException>(() => stream.CopyToHost<int>(new int[26], memory.Span));
        Assert.Throws<ArgumentException>(() => stream.FillWords(memory.Span.Slice(0, 6), 0));
        Assert.Throws<ArgumentOutOfRangeException>(() => memory.Span.Slice(1, 100));
        Assert.Throws<ArgumentOutOfRangeException>(() => memory.Span.Slice(-1, 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => memory.Span.Slice(0, -1));
        Assert.Throws<ArgumentOutOfRangeException>(() => memory.Span.Slice(long.MaxValue, long.MaxValue));
        Assert.Equal(memory.Span.Pointer + 99, memory.Span.Slice(99, 1).Pointer);
    }

    private IDisposable[] MakeAll()
    {
        List<IDisposable> made = [];
        MakeAll(made);
        return [.. made];
    }

    private void MakeAll(List<IDisposable> made)
    {
        made.Add(DeviceMemory.Allocate(context, 256));
        made.Add(PinnedMemory.Allocate(context, 256));
        GrowingDeviceMemory growing = GrowingDeviceMemory.Reserve(context, 256);
        made.Add(growing);
        growing.Grow(1);
        CudaStream stream = CudaStream.Create(context);
        made.Add(stream);
        made.Add(CudaEvent.Create(context));
        CudaLibrary library = CudaLibrary.Load(context, "rms_norm", [1, 2, 3]);
        made.Add(library);
        library.GetKernel("rms_norm");
        using StreamCapture capture = stream.BeginCapture();
        CudaGraph graph = capture.End();
        made.Add(graph);
        made.Add(graph.Instantiate());
    }

    private CudaKernel LoadKernel(out CudaLibrary library)
    {
        library = CudaLibrary.Load(context, "rms_norm.cu for sm_90a", [1, 2, 3]);
        return library.GetKernel("rms_norm");
    }

    private sealed record CudaKernelLibraryPair(CudaKernel Kernel, CudaLibrary Library) : IDisposable
    {
        public void Dispose() => Library.Dispose();
    }
}
