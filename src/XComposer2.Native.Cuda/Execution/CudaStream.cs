namespace XComposer2.Native.Cuda;

/// <summary>
/// A queue of work, not synchronised with the null stream. Queued operations reference memory that the caller must keep alive until they
/// complete. One thread at a time may queue work.
/// </summary>
public sealed unsafe class CudaStream : CudaResource
{
    private readonly StreamHandle handle;

    private CudaStream(CudaContext context, StreamHandle handle)
        : base(context) => this.handle = handle;

    /// <exception cref="ObjectDisposedException">The stream is disposed.</exception>
    internal StreamHandle Handle
    {
        get
        {
            ThrowIfDisposed();
            return handle;
        }
    }

    /// <param name="context">Owning context.</param>
    /// <param name="priority">0 is the lowest; more negative is higher, clamped to the device's range.</param>
    public static CudaStream Create(CudaContext context, int priority = 0)
    {
        ArgumentNullException.ThrowIfNull(context);
        context.Enter();
        StreamHandle handle;
        context.Driver.Check(
            context.Driver.Functions.cuStreamCreateWithPriority(&handle, StreamFlags.NonBlocking, priority),
            nameof(DriverFunctions.cuStreamCreateWithPriority));
        return new CudaStream(context, handle);
    }

    /// <summary>Queues a copy from page-locked memory, which must not change until the copy is done.</summary>
    public void CopyToDevice(DeviceSpan destination, PinnedSpan source)
    {
        SpanBounds.CheckEqual(destination.LengthBytes, source.LengthBytes);
        Enter();
        Driver.Check(
            Functions.cuMemcpyHtoDAsync_v2(destination.Pointer, (void*)source.Address, (nuint)source.LengthBytes, Handle),
            nameof(DriverFunctions.cuMemcpyHtoDAsync_v2), $"{source.LengthBytes} bytes to {destination.Pointer}");
    }

    /// <summary>Queues a copy to page-locked memory, which may be read when the copy is done.</summary>
    public void CopyToHost(PinnedSpan destination, DeviceSpan source)
    {
        SpanBounds.CheckEqual(destination.LengthBytes, source.LengthBytes);
        Enter();
        Driver.Check(
            Functions.cuMemcpyDtoHAsync_v2((void*)destination.Address, source.Pointer, (nuint)source.LengthBytes, Handle),
            nameof(DriverFunctions.cuMemcpyDtoHAsync_v2), $"{source.LengthBytes} bytes from {source.Pointer}");
    }

    /// <summary>Copies from pageable memory after all queued work, and waits.</summary>
    public void CopyToDevice<T>(DeviceSpan destination, ReadOnlySpan<T> source)
        where T : unmanaged
    {
        fixed (T* start = source)
        {
            CopyToDevice(destination, new PinnedSpan((byte*)start, (long)source.Length * sizeof(T)));
            Synchronize();
        }
    }

    /// <summary>Copies to pageable memory after all queued work, and waits.</summary>
    public void CopyToHost<T>(Span<T> destination, DeviceSpan source)
        where T : unmanaged
    {
        fixed (T* start = destination)
        {
            CopyToHost(new PinnedSpan((byte*)start, (long)destination.Length * sizeof(T)), source);
            Synchronize();
        }
    }

    /// <summary>Queues a copy on the device. The spans must not overlap.</summary>
    public void Copy(DeviceSpan destination, DeviceSpan source)
    {
        SpanBounds.CheckEqual(destination.LengthBytes, source.LengthBytes);
        Enter();
        Driver.Check(
            Functions.cuMemcpyDtoDAsync_v2(destination.Pointer, source.Pointer, (nuint)source.LengthBytes, Handle),
            nameof(DriverFunctions.cuMemcpyDtoDAsync_v2), $"{source.LengthBytes} bytes from {source.Pointer} to {destination.Pointer}");
    }

    /// <summary>Queues a fill with a byte value.</summary>
    public void Fill(DeviceSpan destination, byte value)
    {
        Enter();
        Driver.Check(
            Functions.cuMemsetD8Async(destination.Pointer, value, (nuint)destination.LengthBytes, Handle),
            nameof(DriverFunctions.cuMemsetD8Async), $"{destination.LengthBytes} bytes at {destination.Pointer}");
    }

    /// <summary>Queues a fill with a 32-bit value.</summary>
    /// <exception cref="ArgumentException">The span is not 4-byte aligned, or its length is not a multiple of 4.</exception>
    public void FillWords(DeviceSpan destination, uint value)
    {
        if (destination.LengthBytes % sizeof(uint) != 0 || destination.Pointer.Address % sizeof(uint) != 0)
            throw new ArgumentException($"{destination.LengthBytes} bytes at {destination.Pointer} are not aligned 32-bit words", nameof(destination));
        Enter();
        Driver.Check(
            Functions.cuMemsetD32Async(destination.Pointer, value, (nuint)(destination.LengthBytes / sizeof(uint)), Handle),
            nameof(DriverFunctions.cuMemsetD32Async), $"{destination.LengthBytes} bytes at {destination.Pointer}");
    }

    /// <summary>Records an event at this point in the queue.</summary>
    public void Record(CudaEvent mark)
    {
        ArgumentNullException.ThrowIfNull(mark);
        Enter();
        Driver.Check(Functions.cuEventRecord(mark.Handle, Handle), nameof(DriverFunctions.cuEventRecord));
    }

    /// <summary>Makes later work in this stream wait for an event of another stream.</summary>
    public void WaitFor(CudaEvent mark)
    {
        ArgumentNullException.ThrowIfNull(mark);
        Enter();
        Driver.Check(Functions.cuStreamWaitEvent(Handle, mark.Handle, 0), nameof(DriverFunctions.cuStreamWaitEvent));
    }

    /// <summary>Blocks until all queued work is done.</summary>
    /// <exception cref="CudaException">A kernel queued earlier has faulted.</exception>
    public void Synchronize()
    {
        Enter();
        Driver.Check(Functions.cuStreamSynchronize(Handle), nameof(DriverFunctions.cuStreamSynchronize));
    }

    /// <summary>Whether all queued work is done.</summary>
    public bool IsIdle()
    {
        Enter();
        CudaResult result = Functions.cuStreamQuery(Handle);
        if (result == CudaResult.NotReady) return false;
        Driver.Check(result, nameof(DriverFunctions.cuStreamQuery));
        return true;
    }

    public bool IsCapturing()
    {
        Enter();
        CaptureStatus status;
        Driver.Check(Functions.cuStreamIsCapturing(Handle, &status), nameof(DriverFunctions.cuStreamIsCapturing));
        return status != CaptureStatus.None;
    }

    /// <summary>Starts a capture: work is recorded instead of run until the capture ends.</summary>
    public StreamCapture BeginCapture(CaptureMode mode = CaptureMode.ThreadLocal)
    {
        Enter();
        Driver.Check(Functions.cuStreamBeginCapture_v2(Handle, mode), nameof(DriverFunctions.cuStreamBeginCapture_v2));
        return new StreamCapture(this);
    }

    private protected override void Release() => Context.NoteRelease(Functions.cuStreamDestroy_v2(handle), nameof(DriverFunctions.cuStreamDestroy_v2));
}
