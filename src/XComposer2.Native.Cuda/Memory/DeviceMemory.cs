using System.Globalization;

namespace XComposer2.Native.Cuda;

/// <summary>Owned device memory, at least 256-byte aligned, uninitialised.</summary>
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

    /// <summary>The whole allocation.</summary>
    /// <exception cref="ObjectDisposedException">The memory is disposed.</exception>
    public DeviceSpan Span
    {
        get
        {
            ThrowIfDisposed();
            return new DeviceSpan(pointer, LengthBytes);
        }
    }

    /// <param name="context">Owning context.</param>
    /// <param name="lengthBytes">At least 1.</param>
    /// <exception cref="CudaException">Out of memory. The message states free and total memory.</exception>
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
            : "free memory unknown";
    }
}

/// <summary>A range of device memory. Does not own it.</summary>
public readonly record struct DeviceSpan(DevicePointer Pointer, long LengthBytes)
{
    /// <exception cref="ArgumentOutOfRangeException">The slice exceeds the span.</exception>
    public DeviceSpan Slice(long offsetBytes, long lengthBytes)
    {
        SpanBounds.Check(LengthBytes, offsetBytes, lengthBytes);
        return new DeviceSpan(Pointer + offsetBytes, lengthBytes);
    }
}

/// <summary>A device address.</summary>
public readonly record struct DevicePointer(ulong Address)
{
    public static DevicePointer operator +(DevicePointer start, long offsetBytes) => start.Add(offsetBytes);

    /// <summary>The address plus an offset.</summary>
    public DevicePointer Add(long offsetBytes) => new(unchecked(Address + (ulong)offsetBytes));

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"0x{Address:x}");
}

internal static class SpanBounds
{
    /// <exception cref="ArgumentOutOfRangeException">The range exceeds the whole.</exception>
    public static void Check(long wholeBytes, long offsetBytes, long lengthBytes)
    {
        if (offsetBytes < 0 || lengthBytes < 0 || offsetBytes > wholeBytes - lengthBytes)
            throw new ArgumentOutOfRangeException(
                nameof(offsetBytes), $"{lengthBytes} bytes at offset {offsetBytes} exceed {wholeBytes} bytes");
    }

    /// <exception cref="ArgumentException">Source and destination of a copy differ in length.</exception>
    public static void CheckEqual(long destinationBytes, long sourceBytes)
    {
        if (destinationBytes != sourceBytes)
            throw new ArgumentException($"cannot copy {sourceBytes} bytes into {destinationBytes} bytes");
    }
}
