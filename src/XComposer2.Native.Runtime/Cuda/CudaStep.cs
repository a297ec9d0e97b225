using XComposer2.Native.Kernels;

namespace XComposer2.Native.Runtime;

/// <summary>One operation, bound to its kernel and operands.</summary>
internal abstract class CudaStep
{
    /// <summary>What has to be compiled.</summary>
    public abstract KernelDefinition Definition { get; }

    /// <summary>Takes the loaded kernel; called once, before the first launch.</summary>
    public abstract void Attach(KernelLoader loader);

    public abstract void Launch(in CudaRun run);
}
