namespace XComposer2.Native.Cuda;

/// <summary>Owned page-locked host memory, page aligned, uninitialised. Kernels can access it at <see cref="DeviceSpan"/>.</summary>
public sealed unsafe class PinnedMemory : CudaResource
{
    private readonly byte* start;
    private readonly DevicePointer devicePointer;

    private PinnedMemory(CudaContext context, byte* start, DevicePointer devicePointer, long lengthBytes)
        : base(context)
    {
        this.start = start;
        this.devicePointer = devicePointer;
        LengthBytes = lengthBytes;
    }

    public long LengthBytes { get; }

    /// <summary>The whole allocation, at its host address.</summary>
    /// <exception cref="ObjectDisposedException">The memory is disposed.</exception>
    public PinnedSpan Span
    {
        get
        {
            ThrowIfDisposed();
            return new PinnedSpan(start, LengthBytes);
        }
    }

    /// <summary>The whole allocation, at its device address.</summary>
    /// <exception cref="ObjectDisposedException">The memory is disposed.</exception>
    public DeviceSpan DeviceSpan
    {
        get
        {
            ThrowIfDisposed();
            return new DeviceSpan(devicePointer, LengthBytes);
        }
    }

    /// <param name="context">Owning context; other contexts may use the memory too.</param>
    /// <param name="lengthBytes">At least 1.</param>
    /// <param name="isWriteCombined">Write-combined memory: sequential host writes only (host reads are slow), faster device reads.</param>
    /// <exception cref="CudaException">The system cannot lock more pages.</exception>
    public static PinnedMemory Allocate(CudaContext context, long lengthBytes, bool isWriteCombined = false)
    {
        ArgumentNullException.ThrowIfNull(context);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(lengthBytes);
        context.Enter();
        HostAllocationFlags flags = HostAllocationFlags.Portable | HostAllocationFlags.DeviceMap
            | (isWriteCombined ? HostAllocationFlags.WriteCombined : HostAllocationFlags.None);
        void* start;
        context.Driver.Check(
            context.Driver.Functions.cuMemHostAlloc(&start, (nuint)lengthBytes, flags), nameof(DriverFunctions.cuMemHostAlloc), $"{lengthBytes} bytes");
        return new PinnedMemory(context, (byte*)start, FindOnDevice(context, start), lengthBytes);
    }

    private protected override void Release() => Context.NoteRelease(Functions.cuMemFreeHost(start), nameof(DriverFunctions.cuMemFreeHost));

    private static DevicePointer FindOnDevice(CudaContext context, void* start)
    {
        DevicePointer pointer;
        CudaResult result = context.Driver.Functions.cuMemHostGetDevicePointer_v2(&pointer, start, 0);
        if (result == CudaResult.Success) return pointer;
        context.NoteRelease(context.Driver.Functions.cuMemFreeHost(start), nameof(DriverFunctions.cuMemFreeHost));
        throw context.Driver.Failure(result, nameof(DriverFunctions.cuMemHostGetDevicePointer_v2), string.Empty);
    }
}

/// <summary>A range of page-locked host memory, accessible to the device asynchronously. Does not own it.</summary>
public readonly unsafe struct PinnedSpan
{
    private readonly byte* start;

    internal PinnedSpan(byte* start, long lengthBytes)
    {
        this.start = start;
        LengthBytes = lengthBytes;
    }

    public long LengthBytes { get; }

    /// <summary>Host address.</summary>
    public nint Address => (nint)start;

    /// <exception cref="ArgumentOutOfRangeException">The slice exceeds the span.</exception>
    public PinnedSpan Slice(long offsetBytes, long lengthBytes)
    {
        SpanBounds.Check(LengthBytes, offsetBytes, lengthBytes);
        return new PinnedSpan(start + offsetBytes, lengthBytes);
    }

    /// <summary>The host view of the bytes as elements.</summary>
    /// <exception cref="ArgumentException">The length is not a multiple of the element size.</exception>
    /// <exception cref="OverflowException">There are more than 2^31 - 1 elements.</exception>
    public Span<T> AsSpan<T>()
        where T : unmanaged
    {
        if (LengthBytes % sizeof(T) != 0)
            throw new ArgumentException($"{LengthBytes} bytes are not a multiple of the element size, {sizeof(T)} bytes");
        return new Span<T>(start, checked((int)(LengthBytes / sizeof(T))));
    }
}
