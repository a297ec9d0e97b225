using XComposer2.Native.Cuda;
using XComposer2.Native.Kernels;

namespace XComposer2.Native.GpuTests;

/// <summary>A specialisation on the device. Owns its library.</summary>
internal sealed class LoadedKernel : IDisposable
{
    private const int DynamicSharedBytesWithoutAsking = 48 * 1024;

    private readonly CudaLibrary library;

    public LoadedKernel(CudaLibrary library, KernelDefinition definition)
    {
        this.library = library;
        Kernel = library.GetKernel(definition.Entry);
        if (definition.DynamicSharedBytes + Kernel.Attributes.StaticSharedBytes > DynamicSharedBytesWithoutAsking)
            Kernel.AllowDynamicShared(definition.DynamicSharedBytes);
    }

    public CudaKernel Kernel { get; }

    public void Dispose() => library.Dispose();
}
