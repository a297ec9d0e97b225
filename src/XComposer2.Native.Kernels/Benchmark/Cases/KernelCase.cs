using XComposer2.Native.Cuda;

namespace XComposer2.Native.Kernels;

/// <summary>One launch to be timed: a kernel with its sizes, what it works on, and what it must do at least.</summary>
public sealed class KernelCase
{
    private readonly Action<CudaKernel, CudaStream, DevicePointer> launch;

    private KernelCase(
        string work, KernelDefinition definition, LaunchGeometry geometry, KernelCost cost, CaseMemory memory, Action<CudaKernel, CudaStream, DevicePointer> launch)
    {
        Work = work;
        Definition = definition;
        Geometry = geometry;
        Cost = cost;
        Operands = memory.Operands;
        MemoryBytes = memory.TotalBytes;
        this.launch = launch;
    }

    /// <summary>The kernel's name.</summary>
    public string Kernel => Definition.Entry;

    /// <summary>What it does, in a few words.</summary>
    public string Work { get; }

    /// <summary>Kernel and work: no two cases of a catalog have the same.</summary>
    public string Name => $"{Kernel} {Work}";

    public KernelDefinition Definition { get; }

    public LaunchGeometry Geometry { get; }

    public KernelCost Cost { get; }

    public IReadOnlyList<Operand> Operands { get; }

    /// <summary>Device memory of all operands.</summary>
    public long MemoryBytes { get; }

    /// <param name="work">What is done, in a few words.</param>
    /// <param name="definition">The kernel.</param>
    /// <param name="geometry">Of the launch.</param>
    /// <param name="cost">Of the launch, as the kernel's twin declares it.</param>
    /// <param name="memory">The operands.</param>
    /// <param name="arguments">Makes the kernel's argument, given the address of the case's memory.</param>
    internal static KernelCase Create<TArguments>(
        string work, KernelDefinition definition, LaunchGeometry geometry, KernelCost cost, CaseMemory memory, Func<DevicePointer, TArguments> arguments)
        where TArguments : unmanaged =>
        new(work, definition, geometry, cost, memory, (kernel, stream, start) => kernel.Launch(stream, geometry, arguments(start)));

    /// <inheritdoc cref="Create{TArguments}(string, KernelDefinition, LaunchGeometry, KernelCost, CaseMemory, Func{DevicePointer, TArguments})"/>
    /// <param name="work">What is done, in a few words.</param>
    /// <param name="definition">The kernel.</param>
    /// <param name="geometry">Of the launch.</param>
    /// <param name="cost">Of the launch, as the kernel's twin declares it.</param>
    /// <param name="memory">The operands.</param>
    /// <param name="arguments">Makes the kernel's argument, with its tensor maps; asked once for each place of the memory.</param>
    internal static KernelCase Create<TArguments>(
        string work, KernelDefinition definition, LaunchGeometry geometry, KernelCost cost, CaseMemory memory, Func<CudaContext, DevicePointer, TArguments> arguments)
        where TArguments : unmanaged
    {
        TArguments made = default;
        DevicePointer? madeFor = null;
        return new KernelCase(work, definition, geometry, cost, memory, (kernel, stream, start) =>
        {
            if (madeFor != start)
                (made, madeFor) = (arguments(stream.Context, start), start);
            kernel.Launch(stream, geometry, made);
        });
    }

    /// <summary>Queues it.</summary>
    /// <param name="kernel">The compiled <see cref="Definition"/>.</param>
    /// <param name="stream">Where.</param>
    /// <param name="memory">Start of <see cref="MemoryBytes"/> that hold the operands, aligned to 256 bytes.</param>
    internal void Launch(CudaKernel kernel, CudaStream stream, DevicePointer memory) => launch(kernel, stream, memory);
}
