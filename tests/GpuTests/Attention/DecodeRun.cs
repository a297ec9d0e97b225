using XComposer2.Native.Cuda;
using XComposer2.Native.Graph;
using XComposer2.Native.Kernels;

namespace XComposer2.Native.GpuTests;

/// <summary>The decode attention kernel with its scratch, zeroed once.</summary>
internal sealed class DecodeRun : IDisposable
{
    private readonly GpuDevice device;
    private readonly DecodeAttention kernel;
    private readonly DecodeAttentionScratch layout;
    private readonly DeviceArray<byte> scratch;

    public DecodeRun(GpuDevice device, DType storage, AttentionGeometry heads, int mostSequences, int mostRuns, bool hasInt8Cache = false)
    {
        this.device = device;
        kernel = new DecodeAttention(storage, heads, hasInt8Cache);
        layout = kernel.Scratch(mostSequences, mostRuns);
        scratch = device.Upload(new byte[layout.TotalBytes]);
    }

    public void Launch(PagedProblem problem, int runs) => device.Run(kernel, kernel.Geometry(problem.Spans.Length, runs), Bind(problem));

    /// <summary>Captures the launch as a graph, owned by the caller.</summary>
    public CudaGraphExecutable Capture(PagedProblem problem, int runs)
    {
        CudaKernel code = device.Load(kernel);
        using StreamCapture capture = device.Stream.BeginCapture();
        code.Launch(device.Stream, kernel.Geometry(problem.Spans.Length, runs), Bind(problem));
        using CudaGraph graph = capture.End();
        return graph.Instantiate();
    }

    private DecodeAttentionArguments Bind(PagedProblem problem) => kernel.Arguments(
        problem.Queries, problem.Outputs, problem.LayerStart, problem.PageBytes, problem.SpanStart, problem.PageTableStart,
        layout, new DeviceSpan(new DevicePointer(scratch.Address), layout.TotalBytes));

    public void Dispose() => scratch.Dispose();
}
