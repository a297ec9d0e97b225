namespace XComposer2.Native.Cuda;

/// <summary>Owned device memory, at least 256-byte aligned, not cleared.</summary>
public sealed unsafe class DeviceMemory : CudaResource
{
    private readonly DevicePointer pointer;

    private DeviceMemory(CudaContext context, DevicePointer pointer, long lengthBytes)
        : base(context)
    {
        this.pointer = pointer;
        LengthBytes = lengthBytes;
    }

    public long LengthBytes { get; }

    /// <summary>All of it.</summary>
    /// <exception cref="ObjectDisposedException">It was given back.</exception>
    public DeviceSpan Span
    {
        get
        {
            ThrowIfDisposed();
            return new DeviceSpan(pointer, LengthBytes);
        }
    }

    /// <param name="context">Where.</param>
    /// <param name="lengthBytes">At least 1.</param>
    /// <exception cref="CudaException">Not enough memory: the message says how much is left.</exception>
    public static DeviceMemory Allocate(CudaContext context, long lengthBytes)
    {
        ArgumentNullException.ThrowIfNull(context);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(lengthBytes);
        context.Enter();
        DevicePointer pointer;
        context.Driver.Check(
            context.Driver.Functions.cuMemAlloc_v2(&pointer, (nuint)lengthBytes), nameof(DriverFunctions.cuMemAlloc_v2),
            $"{lengthBytes} bytes on {context.Device}, {FreeMemory(context)}");
        return new DeviceMemory(context, pointer, lengthBytes);
    }

    private protected override void Release() => Context.NoteRelease(Functions.cuMemFree_v2(pointer), nameof(DriverFunctions.cuMemFree_v2));

    private static string FreeMemory(CudaContext context)
    {
        nuint free, total;
        return context.Driver.Functions.cuMemGetInfo_v2(&free, &total) == CudaResult.Success
            ? $"{(long)free} of {(long)total} bytes free"
            : "free bytes unknown";
    }
}
