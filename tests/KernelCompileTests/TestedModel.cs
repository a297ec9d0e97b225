using XComposer2.Native.Kernels;

namespace XComposer2.Native.KernelCompileTests;

/// <summary>A model whose kernels are compiled.</summary>
/// <param name="Name">For messages.</param>
/// <param name="Sizes">What kernels are specialised to.</param>
/// <param name="Storages">Types that its weights come in.</param>
/// <param name="Targets">Generations to compile for, as NVRTC names them.</param>
internal sealed record TestedModel(string Name, KernelSizes Sizes, KernelStorage[] Storages, string[] Targets);
