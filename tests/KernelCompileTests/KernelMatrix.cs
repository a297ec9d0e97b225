using XComposer2.Native.Cuda;
using XComposer2.Native.Graph;
using XComposer2.Native.Kernels;
using XComposer2.Native.Model;

namespace XComposer2.Native.KernelCompileTests;

/// <summary>Every kernel, specialisation and generation that is compiled, each once.</summary>
internal static class KernelMatrix
{
    public static readonly string[] Targets = ["sm_75", "sm_80", "sm_86", "sm_89", "sm_90a"];

    public static IReadOnlyList<(KernelDefinition Definition, string Target)> All { get; } = [.. Enumerate().Distinct()];

    public static ComputeCapability CapabilityOf(string target)
    {
        int architecture = CudaTarget.Parse(target).Architecture;
        return new ComputeCapability(architecture / 10, architecture % 10);
    }

    private static IEnumerable<(KernelDefinition Definition, string Target)> Enumerate() =>
        from model in TestedModels.All
        from storage in model.Storages
        from target in model.Targets
        // Before 8.0 tensor cores have no bf16: such a model is served as f16 there.
        where storage != DType.BF16 || CapabilityOf(target).Major >= 8
        from quantization in new[] { WeightQuantization.None, WeightQuantization.Int8 }
        from definition in ModelCatalog.KernelsOf(model.Config, storage, CapabilityOf(target), quantization)
        select (definition, target);
}
