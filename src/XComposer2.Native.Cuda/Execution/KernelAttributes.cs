namespace XComposer2.Native.Cuda;

/// <summary>What the compiler made of a kernel.</summary>
/// <param name="Registers">Of a thread.</param>
/// <param name="LocalBytes">Of a thread: spilled registers and arrays that are indexed by variables. 0 is what a kernel here should have.</param>
/// <param name="StaticSharedBytes">Of a block.</param>
/// <param name="ConstantBytes">Of the kernel, without arguments.</param>
/// <param name="MaxThreadsPerBlock">What the registers allow.</param>
/// <param name="BinaryVersion">The generation the code is for: 90.</param>
public readonly record struct KernelAttributes(
    int Registers, int LocalBytes, int StaticSharedBytes, int ConstantBytes, int MaxThreadsPerBlock, int BinaryVersion);
