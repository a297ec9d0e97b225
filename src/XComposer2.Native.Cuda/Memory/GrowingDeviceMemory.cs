namespace XComposer2.Native.Cuda;

/// <summary>
/// Owned device memory with a fixed address range, uninitialised. The first <see cref="LengthBytes"/> are mapped; <see cref="Grow"/> maps more, and pointers of
/// kernels and captured graphs stay valid. A device without virtual memory management allocates the whole range at once.
/// </summary>
public sealed unsafe class GrowingDeviceMemory : CudaResource
{
    /// <summary>What memory is mapped in multiples of, on every GPU so far.</summary>
    public const long GranuleBytes = 2L << 20;

    // Few handles for large memory, little waste for small memory.
    private const long MaximumChunkBytes = 64L << 20;
    private const int ChunksOfSmallMemory = 8;

    private readonly List<Chunk> chunks = [];
    private readonly DevicePointer start;
    private readonly DeviceMemory? whole;
    private readonly MemoryAllocationProperties properties;
    private readonly long chunkBytes;
    private readonly long reservedBytes;

    private GrowingDeviceMemory(CudaContext context, DevicePointer start, long reservedBytes, long granularityBytes, long maximumBytes)
        : base(context)
    {
        this.start = start;
        this.reservedBytes = reservedBytes;
        properties = MemoryAllocationProperties.OnDevice(context.Device.Ordinal);
        chunkBytes = ChunkBytes(maximumBytes, granularityBytes);
        MaximumBytes = maximumBytes;
    }

    private GrowingDeviceMemory(CudaContext context, DeviceMemory whole)
        : base(context)
    {
        this.whole = whole;
        start = whole.Span.Pointer;
        LengthBytes = MaximumBytes = whole.LengthBytes;
    }

    /// <summary>Bytes that can be used; never over <see cref="MaximumBytes"/>.</summary>
    public long LengthBytes { get; private set; }

    /// <summary>Bytes that <see cref="Grow"/> can reach.</summary>
    public long MaximumBytes { get; }

    /// <summary>Allocated device memory: whole granules.</summary>
    public long MappedBytes => whole is not null ? whole.LengthBytes : chunks.Count == 0 ? 0 : chunks[^1].EndBytes;

    /// <summary>The usable bytes.</summary>
    /// <exception cref="ObjectDisposedException">The memory is disposed.</exception>
    public DeviceSpan Span
    {
        get
        {
            ThrowIfDisposed();
            return new DeviceSpan(start, LengthBytes);
        }
    }

    /// <summary>Reserves addresses; allocates nothing where the device has virtual memory management.</summary>
    /// <param name="context">Owning context.</param>
    /// <param name="maximumBytes">At least 1.</param>
    /// <exception cref="CudaException">Out of addresses, or of memory where all is allocated at once.</exception>
    public static GrowingDeviceMemory Reserve(CudaContext context, long maximumBytes)
    {
        ArgumentNullException.ThrowIfNull(context);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(maximumBytes);
        if (!context.Device.MapsVirtualMemory)
            return new GrowingDeviceMemory(context, DeviceMemory.Allocate(context, maximumBytes));
        context.Enter();
        CudaDriver driver = context.Driver;
        MemoryAllocationProperties properties = MemoryAllocationProperties.OnDevice(context.Device.Ordinal);
        nuint granularity;
        driver.Check(
            driver.Functions.cuMemGetAllocationGranularity(&granularity, &properties, AllocationGranularity.Recommended),
            nameof(DriverFunctions.cuMemGetAllocationGranularity));
        long reservedBytes = RoundUp(maximumBytes, (long)granularity);
        DevicePointer start;
        driver.Check(
            driver.Functions.cuMemAddressReserve(&start, (nuint)reservedBytes, 0, default, 0), nameof(DriverFunctions.cuMemAddressReserve),
            $"{reservedBytes} bytes of addresses on {context.Device}");
        return new GrowingDeviceMemory(context, start, reservedBytes, (long)granularity, maximumBytes);
    }

    /// <summary>Device memory that is mapped for so many bytes, where granules are those of <see cref="GranuleBytes"/>.</summary>
    /// <param name="lengthBytes">That can be used.</param>
    /// <param name="maximumBytes">As reserved.</param>
    public static long MappedBytesFor(long lengthBytes, long maximumBytes) =>
        lengthBytes == 0 ? 0 : Math.Min(RoundUp(lengthBytes, ChunkBytes(maximumBytes, GranuleBytes)), RoundUp(maximumBytes, GranuleBytes));

    /// <summary>Maps more memory, in chunks, until at least <paramref name="lengthBytes"/> can be used. What is there keeps its contents.</summary>
    /// <returns>False where the device has too little free memory; what was mapped on the way stays.</returns>
    /// <exception cref="ArgumentOutOfRangeException">Over <see cref="MaximumBytes"/>.</exception>
    /// <exception cref="CudaException">The driver fails for another reason.</exception>
    public bool Grow(long lengthBytes)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(lengthBytes, MaximumBytes);
        Enter();
        while (LengthBytes < lengthBytes)
            if (!Map())
                return false;
        return true;
    }

    private protected override void Release()
    {
        whole?.Dispose();
        if (whole is not null)
            return;
        // Kernels that still run would lose the memory under them: unlike cuMemFree, unmapping does not wait.
        if (chunks.Count > 0)
            Context.NoteRelease(Functions.cuCtxSynchronize(), nameof(DriverFunctions.cuCtxSynchronize));
        foreach (Chunk chunk in chunks)
            Release(chunk);
        Context.NoteRelease(Functions.cuMemAddressFree(start, (nuint)reservedBytes), nameof(DriverFunctions.cuMemAddressFree));
    }

    private static long ChunkBytes(long maximumBytes, long granuleBytes) => RoundUp(Math.Min(MaximumChunkBytes, Math.Max(1, maximumBytes / ChunksOfSmallMemory)), granuleBytes);

    private bool Map()
    {
        long offsetBytes = chunks.Count == 0 ? 0 : chunks[^1].EndBytes;
        long bytes = Math.Min(chunkBytes, reservedBytes - offsetBytes);
        MemoryAllocationProperties wanted = properties;
        AllocationHandle handle;
        CudaResult created = Functions.cuMemCreate(&handle, (nuint)bytes, &wanted, 0);
        if (created == CudaResult.OutOfMemory)
            return false;
        Driver.Check(created, nameof(DriverFunctions.cuMemCreate), $"{bytes} bytes on {Context.Device}");
        CudaResult mapped = Functions.cuMemMap(start + offsetBytes, (nuint)bytes, 0, handle, 0);
        if (mapped != CudaResult.Success)
        {
            Context.NoteRelease(Functions.cuMemRelease(handle), nameof(DriverFunctions.cuMemRelease));
            Driver.Check(mapped, nameof(DriverFunctions.cuMemMap), $"{bytes} bytes on {Context.Device}");
        }

        var chunk = new Chunk(handle, offsetBytes, bytes);
        MemoryAccess access = MemoryAccess.ReadWrite(wanted.Location);
        CudaResult allowed = Functions.cuMemSetAccess(start + offsetBytes, (nuint)bytes, &access, 1);
        if (allowed != CudaResult.Success)
        {
            // A chunk without access would be a hole before the next one.
            Release(chunk);
            Driver.Check(allowed, nameof(DriverFunctions.cuMemSetAccess), $"{bytes} bytes on {Context.Device}");
        }

        chunks.Add(chunk);
        LengthBytes = Math.Min(MaximumBytes, offsetBytes + bytes);
        return true;
    }

    private void Release(Chunk chunk)
    {
        Context.NoteRelease(Functions.cuMemUnmap(start + chunk.OffsetBytes, (nuint)chunk.LengthBytes), nameof(DriverFunctions.cuMemUnmap));
        Context.NoteRelease(Functions.cuMemRelease(chunk.Handle), nameof(DriverFunctions.cuMemRelease));
    }

    private static long RoundUp(long bytes, long unit) => checked((bytes + unit - 1) / unit * unit);

    private readonly record struct Chunk(AllocationHandle Handle, long OffsetBytes, long LengthBytes)
    {
        public long EndBytes => OffsetBytes + LengthBytes;
    }
}
