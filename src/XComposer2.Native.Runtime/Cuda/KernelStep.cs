using XComposer2.Native.Cuda;
using XComposer2.Native.Kernels;

namespace XComposer2.Native.Runtime;

/// <summary>A step of one kernel.</summary>
internal abstract class KernelStep<TDefinition>(TDefinition definition) : CudaStep
    where TDefinition : KernelDefinition
{
    private CudaKernel? kernel;

    public sealed override KernelDefinition Definition => definition;

    protected TDefinition Twin => definition;

    public sealed override void Attach(KernelLoader loader)
    {
        ArgumentNullException.ThrowIfNull(loader);
        kernel = loader.Get(definition);
    }

    protected void Launch<TArguments>(in CudaRun run, in LaunchGeometry geometry, in TArguments arguments)
        where TArguments : unmanaged =>
        kernel!.Launch(run.Stream, geometry, arguments);
}
