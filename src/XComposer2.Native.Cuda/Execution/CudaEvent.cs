namespace XComposer2.Native.Cuda;

/// <summary>A mark that a stream passes.</summary>
public sealed unsafe class CudaEvent : CudaResource
{
    private readonly EventHandle handle;

    private CudaEvent(CudaContext context, EventHandle handle)
        : base(context) => this.handle = handle;

    /// <exception cref="ObjectDisposedException">It was given back.</exception>
    internal EventHandle Handle
    {
        get
        {
            ThrowIfDisposed();
            return handle;
        }
    }

    /// <param name="context">Where.</param>
    /// <param name="isTimed">The mark notes the time, which costs a little.</param>
    /// <param name="isBlocking">A thread that waits sleeps instead of spinning.</param>
    public static CudaEvent Create(CudaContext context, bool isTimed = false, bool isBlocking = false)
    {
        ArgumentNullException.ThrowIfNull(context);
        context.Enter();
        EventFlags flags = (isTimed ? EventFlags.Default : EventFlags.DisableTiming) | (isBlocking ? EventFlags.BlockingSync : EventFlags.Default);
        EventHandle handle;
        context.Driver.Check(context.Driver.Functions.cuEventCreate(&handle, flags), nameof(DriverFunctions.cuEventCreate));
        return new CudaEvent(context, handle);
    }

    /// <summary>Blocks until the mark is passed; returns at once where it was never recorded.</summary>
    public void Synchronize()
    {
        Enter();
        Driver.Check(Functions.cuEventSynchronize(Handle), nameof(DriverFunctions.cuEventSynchronize));
    }

    /// <summary>Whether the mark is passed, or was never recorded.</summary>
    public bool IsPassed()
    {
        Enter();
        CudaResult result = Functions.cuEventQuery(Handle);
        if (result == CudaResult.NotReady) return false;
        Driver.Check(result, nameof(DriverFunctions.cuEventQuery));
        return true;
    }

    /// <summary>Milliseconds from an earlier mark to this one, to about half a microsecond. Both are timed and passed.</summary>
    public float MillisecondsSince(CudaEvent start)
    {
        ArgumentNullException.ThrowIfNull(start);
        Enter();
        float milliseconds;
        Driver.Check(Functions.cuEventElapsedTime(&milliseconds, start.Handle, Handle), nameof(DriverFunctions.cuEventElapsedTime));
        return milliseconds;
    }

    private protected override void Release() => Context.NoteRelease(Functions.cuEventDestroy_v2(handle), nameof(DriverFunctions.cuEventDestroy_v2));
}
