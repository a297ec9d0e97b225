namespace XComposer2.Native.Cuda;

/// <summary>A driver object that belongs to a context. Disposing it twice, or after the context, is safe.</summary>
public abstract class CudaResource : IDisposable
{
    private int disposed;

    /// <summary>Called after the driver has created the object, so that a failed creation leaves nothing to undo.</summary>
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

    /// <summary>Releases the handle, through <see cref="CudaContext.NoteRelease"/>.</summary>
    private protected abstract void Release();

    /// <summary>Guard for every use: checks that the resource is alive and makes its context current on this thread.</summary>
    private protected void Enter()
    {
        ThrowIfDisposed();
        Context.MakeCurrent();
    }

    private protected void ThrowIfDisposed() => ObjectDisposedException.ThrowIf(IsDisposed, this);
}
