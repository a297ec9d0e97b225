using XComposer2.Native.Cuda;
using XComposer2.Native.Graph;
using XComposer2.Native.Kernels;
using XComposer2.Native.Model;

namespace XComposer2.Native.KernelCompileTests;

/// <summary>Every kernel, specialisation and generation that is compiled, each once.</summary>
internal static class KernelMatrix
{
    public static readonly string[] Targets = ["sm_75", "sm_80", "sm_86", "sm_89", "sm_90a"];

    // Formats that come from checkpoints, on a generation of each kind of instructions.
    private static readonly WeightFormat[] groups =
    [
        WeightFormat.Grouped(4, 128), WeightFormat.Grouped(4, 128, true, true), WeightFormat.Grouped(4, 32, true), WeightFormat.Grouped(8, 128), WeightFormat.Grouped(8, 64, true, true),
    ];

    public static IReadOnlyList<(KernelDefinition Definition, string Target)> All { get; } = [.. Enumerate().Concat(OfGroups()).Concat(OfIntegers()).Concat(OfTraining()).Distinct()];

    public static ComputeCapability CapabilityOf(string target)
    {
        int architecture = CudaTarget.Parse(target).Architecture;
        return new ComputeCapability(architecture / 10, architecture % 10);
    }

    /// <summary>The 7B's decoder with weights in groups of columns: what streams them, and the panels.</summary>
    private static IEnumerable<(KernelDefinition Definition, string Target)> OfGroups() =>
        from target in (string[])["sm_75", "sm_80", "sm_86", "sm_90a"]
        let storage = target == "sm_75" ? DType.F16 : DType.BF16
        from linear in ModelCatalog.KernelsOf(ModelPresets.Find(ModelPresets.VisionLanguage7B), storage, CapabilityOf(target)).OfType<LinearDecode>()
        where linear.BlockRows == 8 && (linear.HasNorm || linear.Form.HasResidual)
        from format in groups
        let form = linear.Form with { Weights = format }
        from definition in (KernelDefinition[])
        [
            new LinearDecode(form, linear.HasNorm, 8, linear.StagesInput), new LinearDecode(form, linear.HasNorm, 16),
            new Dequantize(storage, format, form.InFeatures, form.OutFeatures),
        ]
        select (definition, target);

    /// <summary>The 7B with every part but the linears of its decoder in int8: its table of embeddings, and panels of Partial LoRA.</summary>
    private static IEnumerable<(KernelDefinition Definition, string Target)> OfIntegers() =>
        from target in (string[])["sm_75", "sm_80", "sm_86", "sm_90a"]
        let storage = target == "sm_75" ? DType.F16 : DType.BF16
        let quantization = WeightQuantization.Int4 with { Linears = null }
        from definition in ModelCatalog.KernelsOf(ModelPresets.Find(ModelPresets.VisionLanguage7B), storage, CapabilityOf(target), quantization)
        where definition is EmbedTokens or Dequantize
        select (definition, target);

    /// <summary>The 7B's training on tensor cores, on a generation of each kind of instructions; the demo's in F32, which tests run.</summary>
    private static IEnumerable<(KernelDefinition Definition, string Target)> OfTraining() =>
        from target in (string[])["sm_80", "sm_90a"]
        from storage in (DType[])[DType.BF16, DType.F32]
        where storage == DType.BF16 || target == "sm_80"
        from definition in ModelCatalog.TrainingKernelsOf(storage == DType.BF16 ? ModelPresets.Find(ModelPresets.VisionLanguage7B) : TestedModels.Demo, storage, CapabilityOf(target))
        select (definition, target);

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
