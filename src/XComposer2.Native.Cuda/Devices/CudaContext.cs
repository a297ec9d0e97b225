namespace XComposer2.Native.Cuda;

/// <summary>
/// The primary context of a device. What is made in it keeps it alive, so that disposal may come in any order. Safe to use from any thread:
/// every call makes the context current first, and leaves it so.
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

    /// <summary>The first release that the driver refused, as it does after a kernel faulted; disposing never throws.</summary>
    public CudaException? FirstReleaseFailure { get; private set; }

    /// <exception cref="CudaUnavailableException">The device gives no context: it is in exclusive use, has no memory left, or failed.</exception>
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
                $"device {device.Ordinal}, {device}, gives no context: {failure.Message}. Is it in exclusive use by another process, or out of memory?",
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

    /// <summary>Waits for everything that was queued in this context.</summary>
    public void Synchronize()
    {
        Enter();
        Driver.Check(Driver.Functions.cuCtxSynchronize(), nameof(DriverFunctions.cuCtxSynchronize));
    }

    /// <summary>Sets aside a part of the L2 cache for persisting accesses; the driver rounds and clamps.</summary>
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

    /// <summary>Guards what starts from the context itself, such as making a resource.</summary>
    internal void Enter()
    {
        ObjectDisposedException.ThrowIf(Volatile.Read(ref disposed) != 0, this);
        MakeCurrent();
    }

    internal void MakeCurrent() => Driver.Check(TryMakeCurrent(), nameof(DriverFunctions.cuCtxSetCurrent));

    internal CudaResult TryMakeCurrent() => Driver.Functions.cuCtxSetCurrent(handle);

    /// <summary>A resource was made here.</summary>
    internal void AddOwner() => Interlocked.Increment(ref owners);

    /// <summary>A resource is gone. The last one takes the context with it.</summary>
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
