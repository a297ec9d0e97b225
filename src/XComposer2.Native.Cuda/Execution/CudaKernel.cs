using System.Runtime.InteropServices;

namespace XComposer2.Native.Cuda;

/// <summary>A kernel of a library; valid as long as the library.</summary>
public sealed unsafe class CudaKernel
{
    private readonly CudaLibrary library;
    private readonly FunctionHandle function;

    internal CudaKernel(CudaLibrary library, string name, KernelHandle handle, FunctionHandle function)
    {
        this.library = library;
        this.function = function;
        Name = name;
        Handle = handle;
        Attributes = new KernelAttributes(
            Read(FunctionAttribute.NumRegs), Read(FunctionAttribute.LocalSizeBytes), Read(FunctionAttribute.SharedSizeBytes),
            Read(FunctionAttribute.ConstSizeBytes), Read(FunctionAttribute.MaxThreadsPerBlock), Read(FunctionAttribute.BinaryVersion));
    }

    public string Name { get; }

    public KernelAttributes Attributes { get; }

    internal KernelHandle Handle { get; }

    private CudaDriver Driver => library.Context.Driver;

    /// <summary>Permits launches with this much dynamic shared memory. Required above 48 KiB.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The size exceeds the device's limit per block.</exception>
    public void AllowDynamicShared(int sizeBytes)
    {
        long mostBytes = library.Context.Device.SharedBytesPerBlock - Attributes.StaticSharedBytes;
        if (sizeBytes < 0 || sizeBytes > mostBytes)
            throw new ArgumentOutOfRangeException(
                nameof(sizeBytes),
                $"{Name}: {sizeBytes} bytes of dynamic shared memory; a block has {mostBytes} at most on {library.Context.Device}");
        Set(FunctionAttribute.MaxDynamicSharedSizeBytes, sizeBytes);
    }

    /// <summary>Permits launches with clusters of 16 blocks, which not every device of a family supports.</summary>
    public void AllowLargeClusters() => Set(FunctionAttribute.NonPortableClusterSizeAllowed, 1);

    /// <summary>Occupancy: blocks per multiprocessor.</summary>
    public int CountBlocksPerMultiprocessor(int threads, int dynamicSharedBytes)
    {
        library.EnterKernel();
        int blocks;
        Driver.Check(
            Driver.Functions.cuOccupancyMaxActiveBlocksPerMultiprocessor(&blocks, function, threads, (nuint)dynamicSharedBytes),
            nameof(DriverFunctions.cuOccupancyMaxActiveBlocksPerMultiprocessor), $"{Name}, {threads} threads, {dynamicSharedBytes} bytes of dynamic shared memory");
        return blocks;
    }

    /// <summary>Queues the kernel.</summary>
    /// <param name="stream">A stream of the library's context.</param>
    /// <param name="geometry">Launch geometry.</param>
    /// <param name="arguments">The kernel's single argument; copied.</param>
    public void Launch<T>(CudaStream stream, in LaunchGeometry geometry, in T arguments)
        where T : unmanaged =>
        Launch(stream, geometry, MemoryMarshal.AsBytes(new ReadOnlySpan<T>(in arguments)));

    /// <summary>Queues the kernel.</summary>
    /// <param name="stream">A stream of the library's context.</param>
    /// <param name="geometry">Launch geometry.</param>
    /// <param name="arguments">All bytes of the kernel's single argument; copied.</param>
    /// <exception cref="CudaException">The launch failed. The message shows kernel and geometry.</exception>
    public void Launch(CudaStream stream, in LaunchGeometry geometry, ReadOnlySpan<byte> arguments)
    {
        ArgumentNullException.ThrowIfNull(stream);
        library.EnterKernel();
        LaunchAttribute* attributes = stackalloc LaunchAttribute[LaunchAttributes.MaximumCount];
        LaunchConfiguration configuration = new()
        {
            GridDimX = (uint)geometry.Grid.X,
            GridDimY = (uint)geometry.Grid.Y,
            GridDimZ = (uint)geometry.Grid.Z,
            BlockDimX = (uint)geometry.Block.X,
            BlockDimY = (uint)geometry.Block.Y,
            BlockDimZ = (uint)geometry.Block.Z,
            SharedMemBytes = (uint)geometry.DynamicSharedBytes,
            HStream = stream.Handle,
            Attrs = attributes,
            NumAttrs = LaunchAttributes.Write(geometry, attributes),
        };
        fixed (byte* start = arguments)
        {
            void* argument = start;
            Driver.Check(
                Driver.Functions.cuLaunchKernelEx(&configuration, function, &argument, null),
                nameof(DriverFunctions.cuLaunchKernelEx), $"{Name}, {geometry}");
        }
    }

    private int Read(FunctionAttribute attribute)
    {
        library.EnterKernel();
        int value;
        Driver.Check(
            Driver.Functions.cuKernelGetAttribute(&value, attribute, Handle, library.Context.Device.Handle),
            nameof(DriverFunctions.cuKernelGetAttribute), $"{Name}, {attribute}");
        return value;
    }

    private void Set(FunctionAttribute attribute, int value)
    {
        library.EnterKernel();
        Driver.Check(
            Driver.Functions.cuKernelSetAttribute(attribute, value, Handle, library.Context.Device.Handle),
            nameof(DriverFunctions.cuKernelSetAttribute), $"{Name}, {attribute} = {value}");
    }
}

/// <summary>Resource use of a compiled kernel.</summary>
/// <param name="Registers">Registers per thread.</param>
/// <param name="LocalBytes">Local memory per thread: spilled registers and dynamically indexed arrays. Kernels here should have 0.</param>
/// <param name="StaticSharedBytes">Static shared memory per block.</param>
/// <param name="ConstantBytes">Constant memory of the kernel, without arguments.</param>
/// <param name="MaxThreadsPerBlock">Limit set by the register count.</param>
/// <param name="BinaryVersion">Architecture of the code: 90.</param>
public readonly record struct KernelAttributes(
    int Registers, int LocalBytes, int StaticSharedBytes, int ConstantBytes, int MaxThreadsPerBlock, int BinaryVersion);
