namespace XComposer2.Native.Cuda;

/// <summary>Something of the driver's that lives in a context. Disposing twice, or after the context, is safe.</summary>
public abstract class CudaResource : IDisposable
{
    private int disposed;

    /// <summary>Called when the driver has made it, so that a refusal leaves nothing to undo.</summary>
    private protected CudaResource(CudaContext context)
    {
        context.AddOwner();
        Context = context;
    }

    public CudaContext Context { get; }

    internal bool IsDisposed => Volatile.Read(ref disposed) != 0;

    private protected CudaDriver Driver => Context.Driver;

    private protected DriverFunctions Functions => Context.Driver.Functions;

    public void Dispose()
    {
        if (Interlocked.Exchange(ref disposed, 1) != 0) return;
        Context.NoteRelease(Context.TryMakeCurrent(), nameof(DriverFunctions.cuCtxSetCurrent));
        Release();
        Context.RemoveOwner();
        GC.SuppressFinalize(this);
    }

    /// <summary>Gives the handle back, through <see cref="CudaContext.NoteRelease"/>.</summary>
    private protected abstract void Release();

    /// <summary>Guards every use: the resource is alive, and its context is current on this thread.</summary>
    private protected void Enter()
    {
        ThrowIfDisposed();
        Context.MakeCurrent();
    }

    private protected void ThrowIfDisposed() => ObjectDisposedException.ThrowIf(IsDisposed, this);
}
