namespace XComposer2.Native.Cuda;

/// <summary>A CUDA event: a mark in a stream.</summary>
public sealed unsafe class CudaEvent : CudaResource
{
    private readonly EventHandle handle;

    private CudaEvent(CudaContext context, EventHandle handle)
        : base(context) => this.handle = handle;

    /// <exception cref="ObjectDisposedException">The event is disposed.</exception>
    internal EventHandle Handle
    {
        get
        {
            ThrowIfDisposed();
            return handle;
        }
    }

    /// <param name="context">Owning context.</param>
    /// <param name="isTimed">Records a timestamp, at a small cost.</param>
    /// <param name="isBlocking">Waiting threads sleep instead of spinning.</param>
    public static CudaEvent Create(CudaContext context, bool isTimed = false, bool isBlocking = false)
    {
        ArgumentNullException.ThrowIfNull(context);
        context.Enter();
        EventFlags flags = (isTimed ? EventFlags.Default : EventFlags.DisableTiming) | (isBlocking ? EventFlags.BlockingSync : EventFlags.Default);
        EventHandle handle;
        context.Driver.Check(context.Driver.Functions.cuEventCreate(&handle, flags), nameof(DriverFunctions.cuEventCreate));
        return new CudaEvent(context, handle);
    }

    /// <summary>Blocks until the stream has reached the event; returns at once if it was never recorded.</summary>
    public void Synchronize()
    {
        Enter();
        Driver.Check(Functions.cuEventSynchronize(Handle), nameof(DriverFunctions.cuEventSynchronize));
    }

    /// <summary>Whether the stream has reached the event, or it was never recorded.</summary>
    public bool IsPassed()
    {
        Enter();
        CudaResult result = Functions.cuEventQuery(Handle);
        if (result == CudaResult.NotReady) return false;
        Driver.Check(result, nameof(DriverFunctions.cuEventQuery));
        return true;
    }

    /// <summary>Milliseconds from an earlier event to this one, with a resolution of about 0.5 µs. Both must be timed and passed.</summary>
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
