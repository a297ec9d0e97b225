namespace XComposer2.Native.Cuda;

/// <summary>
/// A stream that records. Disposing one that was not ended throws the recording away, so that a stream never stays in capture
/// when an exception passes.
/// </summary>
public sealed unsafe class StreamCapture : IDisposable
{
    private readonly CudaStream stream;
    private bool isOver;

    internal StreamCapture(CudaStream stream) => this.stream = stream;

    private CudaDriver Driver => stream.Context.Driver;

    /// <summary>Stops recording.</summary>
    /// <exception cref="CudaException">The capture was spoilt: something was called that cannot be recorded.</exception>
    public CudaGraph End()
    {
        if (isOver) throw new InvalidOperationException("the capture has ended before");
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
        // A spoilt capture answers with an error and no graph; that it is over is what counts here.
        _ = Driver.Functions.cuStreamEndCapture(stream.Handle, &graph);
        if (graph != default) stream.Context.NoteRelease(Driver.Functions.cuGraphDestroy(graph), nameof(DriverFunctions.cuGraphDestroy));
    }
}

/// <summary><c>CUstreamCaptureMode</c>: which unsafe calls spoil a capture.</summary>
public enum CaptureMode
{
    /// <summary>Those of any thread.</summary>
    Global = 0,
    /// <summary>Those of the capturing thread.</summary>
    ThreadLocal = 1,
    /// <summary>None.</summary>
    Relaxed = 2,
}
