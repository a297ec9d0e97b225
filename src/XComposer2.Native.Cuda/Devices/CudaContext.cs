namespace XComposer2.Native.Cuda;

/// <summary>
/// The primary context of a device. Its resources keep it alive, so disposal order does not matter. Thread-safe: every call first makes
/// the context current on the calling thread and leaves it current.
/// </summary>
public sealed unsafe class CudaContext : IDisposable
{
    private readonly ContextHandle handle;
    private int owners = 1;
    private int disposed;

    private CudaContext(CudaDevice device, ContextHandle handle)
    {
        Device = device;
        this.handle = handle;
    }

    public CudaDevice Device { get; }

    public CudaDriver Driver => Device.Driver;

    /// <summary>The first release call that failed, for example after a kernel fault. Disposal never throws.</summary>
    public CudaException? FirstReleaseFailure { get; private set; }

    /// <exception cref="CudaUnavailableException">No context could be created: the device is in exclusive use, out of memory or failed.</exception>
    public static CudaContext Open(CudaDevice device)
    {
        ArgumentNullException.ThrowIfNull(device);
        try
        {
            ContextHandle handle;
            device.Driver.Check(
                device.Driver.Functions.cuDevicePrimaryCtxRetain(&handle, device.Handle),
                nameof(DriverFunctions.cuDevicePrimaryCtxRetain), $"device {device.Ordinal}");
            return new CudaContext(device, handle);
        }
        catch (CudaException failure)
        {
            throw new CudaUnavailableException(
                CudaUnavailableReason.ContextFailed,
                $"device {device.Ordinal}, {device}, cannot create a context: {failure.Message}. Is it in exclusive use by another process, or out of memory?",
                failure);
        }
    }

    /// <summary>Free and total device memory, in bytes.</summary>
    public (long FreeBytes, long TotalBytes) ReadMemory()
    {
        Enter();
        nuint free, total;
        Driver.Check(Driver.Functions.cuMemGetInfo_v2(&free, &total), nameof(DriverFunctions.cuMemGetInfo_v2));
        return ((long)free, (long)total);
    }

    /// <summary>Waits for all work queued in this context.</summary>
    public void Synchronize()
    {
        Enter();
        Driver.Check(Driver.Functions.cuCtxSynchronize(), nameof(DriverFunctions.cuCtxSynchronize));
    }

    /// <summary>Reserves part of the L2 cache for persisting accesses; the driver rounds and clamps the size.</summary>
    public void SetPersistingL2(long sizeBytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(sizeBytes);
        Enter();
        Driver.Check(
            Driver.Functions.cuCtxSetLimit(ContextLimit.PersistingL2CacheSize, (nuint)sizeBytes),
            nameof(DriverFunctions.cuCtxSetLimit), $"{sizeBytes} bytes of persisting L2");
    }

    public void Dispose()
    {
        if (Interlocked.Exchange(ref disposed, 1) == 0) RemoveOwner();
    }

    /// <summary>Guard for operations on the context itself, such as creating a resource.</summary>
    internal void Enter()
    {
        ObjectDisposedException.ThrowIf(Volatile.Read(ref disposed) != 0, this);
        MakeCurrent();
    }

    internal void MakeCurrent() => Driver.Check(TryMakeCurrent(), nameof(DriverFunctions.cuCtxSetCurrent));

    internal CudaResult TryMakeCurrent() => Driver.Functions.cuCtxSetCurrent(handle);

    /// <summary>Called when a resource is created in this context.</summary>
    internal void AddOwner() => Interlocked.Increment(ref owners);

    /// <summary>Called when a resource is released. After disposal, the last resource releases the context.</summary>
    internal void RemoveOwner()
    {
        if (Interlocked.Decrement(ref owners) == 0)
            NoteRelease(Driver.Functions.cuDevicePrimaryCtxRelease_v2(Device.Handle), nameof(DriverFunctions.cuDevicePrimaryCtxRelease_v2));
    }

    internal void NoteRelease(CudaResult result, string call)
    {
        if (result != CudaResult.Success) FirstReleaseFailure ??= Driver.Failure(result, call, string.Empty);
    }
}
