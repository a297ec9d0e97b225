using XComposer2.Native.Kernels;

namespace XComposer2.Native.Cli;

/// <summary>One line of <c>xc2 kernels inspect --json</c>.</summary>
internal sealed record KernelReportJson(
    string Name, string Target, string Specialisation, int Threads, int Registers, int SharedBytes, int StackBytes, int SpillBytes)
{
    public static KernelReportJson Of(SelectedKernel kernel, KernelResources resources) => new(
        kernel.Definition.Entry,
        kernel.Target.ToString(),
        kernel.Specialisation,
        kernel.Definition.BlockThreads,
        resources.Registers,
        resources.SharedBytes + kernel.Definition.DynamicSharedBytes,
        resources.StackBytes,
        resources.SpillBytes);
}
