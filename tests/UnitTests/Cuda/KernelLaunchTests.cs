using System.Buffers.Binary;
using XComposer2.Native.Cuda;
using Xunit;

namespace XComposer2.Native.UnitTests;

/// <summary>Arguments that reach the driver at a launch, and the errors of refused launches.</summary>
[Collection(FakeDriver.Collection)]
public sealed unsafe class KernelLaunchTests : IDisposable
{
    private readonly FakeDriver native = new();
    private readonly CudaContext context;
    private readonly CudaStream stream;
    private readonly CudaLibrary library;
    private readonly CudaKernel kernel;

    public KernelLaunchTests()
    {
        context = CudaContext.Open(new CudaDriver(native).GetDevice(0));
        stream = CudaStream.Create(context);
        library = CudaLibrary.Load(context, "rms_norm.cu for sm_90a", [1]);
        kernel = library.GetKernel("rms_norm");
    }

    public void Dispose()
    {
        library.Dispose();
        stream.Dispose();
        context.Dispose();
    }

    [Fact]
    public void Launch_passes_geometry_and_arguments()
    {
        native.ArgumentBytes = sizeof(Arguments);
        kernel.Launch(stream, new LaunchGeometry(new Dim3(1, 2, 3), new Dim3(4, 5, 6), 7), new Arguments(0x0123456789abcdef, 42));
        LaunchConfiguration launch = native.Launch;
        // The function that was made ready, not the kernel.
        Assert.Equal(0x78, native.Launched);
        Assert.Equal((1u, 2u, 3u), (launch.GridDimX, launch.GridDimY, launch.GridDimZ));
        Assert.Equal((4u, 5u, 6u, 7u), (launch.BlockDimX, launch.BlockDimY, launch.BlockDimZ, launch.SharedMemBytes));
        Assert.Equal((stream.Handle, 0u), (launch.HStream, launch.NumAttrs));
        Assert.Equal(0x0123456789abcdef, BinaryPrimitives.ReadInt64LittleEndian(native.Arguments));
        Assert.Equal(42, BinaryPrimitives.ReadInt32LittleEndian(native.Arguments.AsSpan(8)));
    }

    [Fact]
    public void Launch_attributes_have_the_layout_of_the_header()
    {
        kernel.Launch(
            stream,
            new LaunchGeometry(8, 128)
            {
                Cluster = new Dim3(2, 3, 4),
                IsCooperative = true,
                OverlapsPredecessor = true,
                L2Window = new L2Window(new DeviceSpan(new DevicePointer(0xabc000), 4096), 0.5f),
            },
            0);
        Assert.Equal(4u, native.Launch.NumAttrs);
        ReadOnlySpan<byte> bytes = native.LaunchAttributeBytes;
        Assert.Equal((2, 3, 4), (Int(Index(4), 8), Int(Index(4), 12), Int(Index(4), 16)));
        Assert.Equal((1, 1), (Int(Index(2), 8), Int(Index(6), 8)));
        int window = Index(1);
        Assert.Equal((0xabc000L, 4096L), (BinaryPrimitives.ReadInt64LittleEndian(bytes[((72 * window) + 8)..]), BinaryPrimitives.ReadInt64LittleEndian(bytes[((72 * window) + 16)..])));
        Assert.Equal((0.5f, 2, 1), (BitConverter.Int32BitsToSingle(Int(window, 24)), Int(window, 28), Int(window, 32)));

        int Int(int attribute, int offset) => BinaryPrimitives.ReadInt32LittleEndian(native.LaunchAttributeBytes.AsSpan((72 * attribute) + offset));
        int Index(int id) => Enumerable.Range(0, 4).Single(index => Int(index, 0) == id);
    }

    [Fact]
    public void Failed_launch_error_names_kernel_and_geometry()
    {
        native.Failures["cuLaunchKernelEx"] = CudaResult.LaunchOutOfResources;
        CudaException failure = Assert.Throws<CudaException>(
            () => kernel.Launch(stream, new LaunchGeometry(new Dim3(64, 2), 1024, 232448) { Cluster = new Dim3(2), IsCooperative = true, OverlapsPredecessor = true }, 0));
        Assert.Equal(
            "cuLaunchKernelEx (rms_norm, grid 64x2x1, block 1024x1x1, 232448 bytes of dynamic shared memory, cluster 2x1x1, cooperative, overlapping its predecessor) "
            + "failed: LaunchOutOfResources (701)",
            failure.Message);
    }

    [Fact]
    public void Launch_allocates_nothing()
    {
        FakeDriver quiet = new();
        foreach (string symbol in (string[])["cuLaunchKernelEx", "cuStreamQuery", "cuStreamSynchronize", "cuCtxSetCurrent"]) quiet.Simplify(symbol);
        CudaContext place = CudaContext.Open(new CudaDriver(quiet).GetDevice(0));
        CudaStream queue = CudaStream.Create(place);
        CudaEvent mark = CudaEvent.Create(place);
        CudaKernel busy = CudaLibrary.Load(place, "rms_norm", [1]).GetKernel("rms_norm");
        CudaGraphExecutable step = queue.BeginCapture().End().Instantiate();
        PinnedSpan host = PinnedMemory.Allocate(place, 16).Span;
        DeviceSpan memory = DeviceMemory.Allocate(place, 16).Span;
        LaunchGeometry geometry = new(8, 128) { Cluster = 2, OverlapsPredecessor = true, L2Window = new L2Window(memory, 1) };
        long before = 0;
        for (int round = 0; round < 20; round++)
        {
            if (round == 10) before = GC.GetAllocatedBytesForCurrentThread();
            busy.Launch(queue, geometry, new Arguments(1, 2));
            step.Launch(queue);
            queue.CopyToDevice(memory, host);
            queue.CopyToHost(host, memory);
            queue.Fill(memory, 0);
            queue.Record(mark);
            queue.WaitFor(mark);
            mark.Synchronize();
            queue.Synchronize();
        }
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [Fact]
    public void Load_failure_shows_the_driver_log()
    {
        native.Failures["cuLibraryLoadData"] = CudaResult.InvalidPtx;
        native.JitLog = "ptxas: line 7: unknown opcode\n";
        CudaException failure = Assert.Throws<CudaException>(() => CudaLibrary.Load(context, "gelu.cu for compute_90", "x"u8));
        Assert.Equal(
            "cuLibraryLoadData (gelu.cu for compute_90 on Fake GPU (compute capability 9.0): ptxas: line 7: unknown opcode) failed: InvalidPtx (218)", failure.Message);
    }

    [Fact]
    public void Missing_entry_is_named()
    {
        CudaException failure = Assert.Throws<CudaException>(() => library.GetKernel("layer_norm"));
        Assert.StartsWith("cuLibraryGetKernel (layer_norm in rms_norm.cu for sm_90a) failed: NotFound (500)", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Kernel_attributes_match_the_driver() =>
        Assert.Equal(new KernelAttributes(Registers: 104, LocalBytes: 103, StaticSharedBytes: 101, ConstantBytes: 102, MaxThreadsPerBlock: 100, BinaryVersion: 106), kernel.Attributes);

    [Fact]
    public void Excessive_shared_memory_error_states_the_sizes()
    {
        ArgumentOutOfRangeException refusal = Assert.Throws<ArgumentOutOfRangeException>(() => kernel.AllowDynamicShared(1));
        Assert.Contains("rms_norm: 1 bytes of dynamic shared memory; a block has -4 at most", refusal.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(CudaResult.Success, GraphUpdateResult.Success, GraphUpdateResult.Success)]
    [InlineData(CudaResult.GraphExecUpdateFailure, GraphUpdateResult.ErrorTopologyChanged, GraphUpdateResult.ErrorTopologyChanged)]
    [InlineData(CudaResult.GraphExecUpdateFailure, GraphUpdateResult.Success, GraphUpdateResult.Error)]
    public void Rejected_graph_update_returns_the_reason(CudaResult answer, GraphUpdateResult reason, GraphUpdateResult expected)
    {
        using StreamCapture capture = stream.BeginCapture();
        using CudaGraph graph = capture.End();
        using CudaGraphExecutable executable = graph.Instantiate();
        native.Failures["cuGraphExecUpdate_v2"] = answer;
        native.UpdateResult = reason;
        Assert.Equal(expected, executable.TryUpdate(graph));
        native.Failures["cuGraphExecUpdate_v2"] = CudaResult.InvalidHandle;
        Assert.Throws<CudaException>(() => executable.TryUpdate(graph));
    }

    [Fact]
    public void Kernel_node_update_passes_kernel_geometry_and_arguments()
    {
        using StreamCapture capture = stream.BeginCapture();
        using CudaGraph graph = capture.End();
        using CudaGraphExecutable executable = graph.Instantiate();
        native.ArgumentBytes = sizeof(Arguments);
        executable.SetKernel(default, kernel, new LaunchGeometry(new Dim3(1, 2, 3), new Dim3(4, 5, 6), 7), new Arguments(1, 42));
        KernelNodeParameters node = native.Node;
        Assert.Equal((1u, 2u, 3u, 4u, 5u, 6u, 7u), (node.GridDimX, node.GridDimY, node.GridDimZ, node.BlockDimX, node.BlockDimY, node.BlockDimZ, node.SharedMemBytes));
        Assert.Equal((default, new KernelHandle(0x77)), (node.Func, node.Kern));
        Assert.Equal(42, BinaryPrimitives.ReadInt32LittleEndian(native.Arguments.AsSpan(8)));
    }

    private readonly record struct Arguments(long Pointer, int Count);
}
