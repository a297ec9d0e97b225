namespace XComposer2.Native.Cli;

/// <summary>One case of <see cref="KernelCaseListJson"/>.</summary>
/// <param name="Kernel">The kernel.</param>
/// <param name="Work">What it does.</param>
/// <param name="Bytes">What a launch must move.</param>
/// <param name="Flops">What it must compute.</param>
/// <param name="MemoryBytes">Device memory of its operands.</param>
internal sealed record KernelCaseJson(string Kernel, string Work, long Bytes, long Flops, long MemoryBytes);
