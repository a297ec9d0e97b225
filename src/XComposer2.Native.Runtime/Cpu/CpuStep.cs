namespace XComposer2.Native.Runtime;

/// <summary>One operation, bound to its kernel and operands.</summary>
internal abstract class CpuStep
{
    public abstract void Run(in CpuRun run);
}
