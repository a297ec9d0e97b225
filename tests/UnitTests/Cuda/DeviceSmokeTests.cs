using XComposer2.Native.Cuda;
using Xunit;

namespace XComposer2.Native.UnitTests;

/// <summary>
/// The wrappers on a computing device: a GPU, or the driver and compiler named by <c>XC2_CUDA_DRIVER</c> and <c>XC2_NVRTC</c>. Skipped
/// without a device.
/// </summary>
public sealed class DeviceSmokeTests : IDisposable
{
    private const int Count = 1003, Block = 128;

    private readonly string folder;
    private readonly Stack<IDisposable> owned = new();
    private readonly CudaContext context;
    private readonly CudaStream stream;
    private readonly CudaKernel add;

    public DeviceSmokeTests(ITestOutputHelper output)
    {
        CudaAvailability found = CudaAvailability.TryOpen(null, out CudaContext? opened);
        output.WriteLine(found.Message);
        if (opened is null) Assert.Skip(found.Message);
        context = Own(opened);
        Nvrtc compiler = LoadCompiler(context.Driver.Version);
        folder = Directory.CreateTempSubdirectory("xc2-smoke").FullName;
        stream = Own(CudaStream.Create(context));
        CubinCache cache = new(new EmbeddedKernelSource(typeof(DeviceSmokeTests).Assembly), () => compiler, new CubinCacheOptions { Folder = folder });
        Cubin cubin = cache.Get(new CubinRequest("elementwise/add.cu", CudaTarget.For(context.Device.Capability, compiler), ["--std=c++17"]));
        add = Own(CudaLibrary.Load(context, cubin.Name, cubin.Image.Span)).GetKernel("add");
        output.WriteLine($"{add.Attributes}");
    }

    private static LaunchGeometry Geometry => new((Count + Block - 1) / Block, Block);

    public void Dispose()
    {
        while (owned.TryPop(out IDisposable? resource)) resource.Dispose();
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public void Kernel_adds_on_the_device()
    {
        Assert.Equal(0, add.Attributes.LocalBytes);
        Assert.InRange(add.CountBlocksPerMultiprocessor(Block, 0), 1, 64);
        DeviceSpan x = Upload(index => index), y = Upload(index => 2 * index);
        using CudaEvent start = CudaEvent.Create(context, isTimed: true), end = CudaEvent.Create(context, isTimed: true);
        stream.Record(start);
        add.Launch(stream, Geometry, new AddArguments(x.Pointer, y.Pointer, Count));
        stream.Record(end);
        AssertAll(y, index => 3 * index);
        Assert.True(end.IsPassed() && stream.IsIdle());
        Assert.True(end.MillisecondsSince(start) >= 0);
    }

    [Fact]
    public void Kernels_and_copies_access_mapped_host_memory()
    {
        PinnedMemory pinned = Own(PinnedMemory.Allocate(context, Count * sizeof(float)));
        DeviceSpan y = Upload(index => 1);
        for (int index = 0; index < Count; index++) pinned.Span.AsSpan<float>()[index] = index;
        add.Launch(stream, Geometry, new AddArguments(pinned.DeviceSpan.Pointer, y.Pointer, Count));
        AssertAll(y, index => index + 1);
        stream.CopyToHost(pinned.Span, y);
        stream.Synchronize();
        Assert.Equal(Count, pinned.Span.AsSpan<float>()[^1]);
        pinned.Span.AsSpan<float>().Fill(7);
        stream.CopyToDevice(y, pinned.Span);
        AssertAll(y, _ => 7);
    }

    [Fact]
    public void Fills_and_device_copies_work()
    {
        DeviceSpan x = Upload(_ => 5), y = Upload(_ => 6);
        stream.FillWords(x, BitConverter.SingleToUInt32Bits(2.5f));
        stream.Copy(y, x);
        stream.Fill(x, 0);
        AssertAll(y, _ => 2.5f);
        AssertAll(x, _ => 0);
        (long free, long total) = context.ReadMemory();
        Assert.InRange(free, 0, total);
    }

    [Fact]
    public void Captured_graph_replays_with_new_arguments()
    {
        DeviceSpan one = Upload(_ => 1), ten = Upload(_ => 10), y = Upload(_ => 0);
        CudaGraph graph = Capture(one, y);
        Assert.Equal(2, graph.ListNodes().Length);
        GraphNode[] kernels = [.. graph.ListNodes().Where(node => graph.ReadType(node) == GraphNodeType.Kernel)];
        Assert.Equal(2, kernels.Length);
        Assert.Equal(Geometry, graph.ReadGeometry(kernels[0]));
        AssertAll(y, _ => 0);
        CudaGraphExecutable step = Own(graph.Instantiate());
        step.Upload(stream);
        for (int replay = 0; replay < 3; replay++) step.Launch(stream);
        AssertAll(y, _ => 6);
        step.SetKernel(kernels[1], add, Geometry, new AddArguments(ten.Pointer, y.Pointer, Count));
        step.Launch(stream);
        AssertAll(y, _ => 17);
        Assert.Equal(GraphUpdateResult.Success, step.TryUpdate(Capture(ten, y)));
        step.Launch(stream);
        AssertAll(y, _ => 37);
    }

    [Fact]
    public void Update_with_another_topology_is_rejected()
    {
        DeviceSpan one = Upload(_ => 1), y = Upload(_ => 0);
        CudaGraphExecutable step = Own(Capture(one, y).Instantiate());
        using StreamCapture capture = stream.BeginCapture();
        add.Launch(stream, Geometry, new AddArguments(one.Pointer, y.Pointer, Count));
        Assert.True(stream.IsCapturing());
        Assert.NotEqual(GraphUpdateResult.Success, step.TryUpdate(Own(capture.End())));
        step.Launch(stream);
        AssertAll(y, _ => 2);
    }

    [Fact]
    public void Second_thread_and_second_stream_work()
    {
        DeviceSpan one = Upload(_ => 1), y = Upload(_ => 0);
        CudaStream second = Own(CudaStream.Create(context, priority: -1));
        CudaEvent mark = Own(CudaEvent.Create(context));
        add.Launch(stream, Geometry, new AddArguments(one.Pointer, y.Pointer, Count));
        stream.Record(mark);
        Thread thread = new(() =>
        {
            second.WaitFor(mark);
            add.Launch(second, Geometry, new AddArguments(one.Pointer, y.Pointer, Count));
            second.Synchronize();
        });
        thread.Start();
        thread.Join();
        AssertAll(y, _ => 2);
    }

    [Fact]
    public void Oversized_allocation_error_states_free_memory()
    {
        CudaException refusal = Assert.Throws<CudaException>(() => DeviceMemory.Allocate(context, 1L << 50));
        Assert.Equal(CudaResult.OutOfMemory, refusal.Result);
        Assert.Matches("[0-9]+ of [0-9]+ bytes free", refusal.Message);
    }

    [Fact]
    public void Oversized_block_error_states_the_geometry()
    {
        CudaException refusal = Assert.Throws<CudaException>(() => add.Launch(stream, new LaunchGeometry(1, 4096), new AddArguments(default, default, 0)));
        Assert.Contains("add, grid 1x1x1, block 4096x1x1", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Invalid_code_is_rejected() => Assert.Equal(
        "cuLibraryLoadData", Assert.Throws<CudaException>(() => CudaLibrary.Load(context, "nonsense", "not code\0"u8)).Call);

    private static Nvrtc LoadCompiler(CudaVersion driver)
    {
        try
        {
            return Nvrtc.Load(null, driver);
        }
        catch (CudaUnavailableException missing)
        {
            Assert.Skip(missing.Message);
            throw;
        }
    }

    private T Own<T>(T resource)
        where T : IDisposable
    {
        owned.Push(resource);
        return resource;
    }

    private CudaGraph Capture(DeviceSpan x, DeviceSpan y)
    {
        using StreamCapture capture = stream.BeginCapture();
        for (int launch = 0; launch < 2; launch++) add.Launch(stream, Geometry, new AddArguments(x.Pointer, y.Pointer, Count));
        return Own(capture.End());
    }

    private DeviceSpan Upload(Func<int, float> value)
    {
        DeviceSpan span = Own(DeviceMemory.Allocate(context, Count * sizeof(float))).Span;
        stream.CopyToDevice<float>(span, Enumerable.Range(0, Count).Select(value).ToArray());
        return span;
    }

    private void AssertAll(DeviceSpan span, Func<int, float> expected)
    {
        float[] found = new float[Count];
        stream.CopyToHost<float>(found, span);
        Assert.Equal(Enumerable.Range(0, Count).Select(expected), found);
    }

    private readonly record struct AddArguments(DevicePointer X, DevicePointer Y, long Count);
}
