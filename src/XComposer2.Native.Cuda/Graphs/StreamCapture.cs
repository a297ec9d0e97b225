namespace XComposer2.Native.Cuda;

/// <summary>
/// A capture in progress. Disposing it without <see cref="End"/> discards the recording, so that an exception never leaves the stream in
/// capture mode.
/// </summary>
public sealed unsafe class StreamCapture : IDisposable
{
    private readonly CudaStream stream;
    private bool isOver;

    internal StreamCapture(CudaStream stream) => this.stream = stream;

    private CudaDriver Driver => stream.Context.Driver;

    /// <summary>Ends the capture.</summary>
    /// <exception cref="CudaException">The capture was invalidated by a call that cannot be captured.</exception>
    public CudaGraph End()
    {
        if (isOver) throw new InvalidOperationException("the capture has already ended");
        isOver = true;
        stream.Context.MakeCurrent();
        GraphHandle graph;
        Driver.Check(Driver.Functions.cuStreamEndCapture(stream.Handle, &graph), nameof(DriverFunctions.cuStreamEndCapture));
        return new CudaGraph(stream.Context, graph);
    }

    public void Dispose()
    {
        if (isOver) return;
        isOver = true;
        if (stream.IsDisposed) return;
        GraphHandle graph = default;
        stream.Context.NoteRelease(stream.Context.TryMakeCurrent(), nameof(DriverFunctions.cuCtxSetCurrent));
        // An invalidated capture returns an error and no graph; only the end of the capture matters here.
        _ = Driver.Functions.cuStreamEndCapture(stream.Handle, &graph);
        if (graph != default) stream.Context.NoteRelease(Driver.Functions.cuGraphDestroy(graph), nameof(DriverFunctions.cuGraphDestroy));
    }
}

/// <summary><c>CUstreamCaptureMode</c>: the unsafe calls that invalidate a capture.</summary>
public enum CaptureMode
{
    /// <summary>Calls of any thread.</summary>
    Global = 0,
    /// <summary>Calls of the capturing thread.</summary>
    ThreadLocal = 1,
    /// <summary>None.</summary>
    Relaxed = 2,
}
