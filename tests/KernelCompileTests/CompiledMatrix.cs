using XComposer2.Native.Cuda;
using XComposer2.Native.Kernels;

namespace XComposer2.Native.KernelCompileTests;

/// <summary>Everything of the matrix, compiled once for all tests; what did not change since an earlier run comes from artifacts/.</summary>
public sealed class CompiledMatrix
{
    private readonly Lazy<IReadOnlyDictionary<(KernelDefinition Definition, string Target), Cubin>> cubins;
    private readonly Lazy<Nvrtc> compiler = new(CompilerLibrary.Load);

    public CompiledMatrix() => cubins = new(Compile);

    public IReadOnlyDictionary<(KernelDefinition Definition, string Target), Cubin> Cubins => cubins.Value;

    public CudaVersion CompilerVersion => compiler.Value.Version;

    /// <summary>Others for one generation, in their order.</summary>
    public Cubin[] Compile(IReadOnlyList<KernelDefinition> definitions, string target) =>
        Cache().GetAll([.. definitions.Select(definition => Request(definition, target))]);

    /// <summary>Others, as they are asked for, in their order.</summary>
    public Cubin[] Compile(IReadOnlyList<CubinRequest> requests) => Cache().GetAll(requests);

    private Dictionary<(KernelDefinition Definition, string Target), Cubin> Compile()
    {
        Cubin[] compiled = Cache().GetAll([.. KernelMatrix.All.Select(kernel => Request(kernel.Definition, kernel.Target))]);
        return KernelMatrix.All.Zip(compiled).ToDictionary(pair => pair.First, pair => pair.Second);
    }

    private CubinCache Cache()
    {
        Nvrtc nvrtc = compiler.Value;
        return new CubinCache(KernelLoader.Source, () => nvrtc, new CubinCacheOptions { Folder = TestPaths.Repository("artifacts", "kernel-compile-tests") });
    }

    private static CubinRequest Request(KernelDefinition definition, string target) =>
        new(definition.Source, CudaTarget.Parse(target), [.. definition.Options, KernelResources.Option]);
}
