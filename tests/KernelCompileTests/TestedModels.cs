using XComposer2.Native.Graph;
using XComposer2.Native.Kernels;
using XComposer2.Native.Model;

namespace XComposer2.Native.KernelCompileTests;

/// <summary>The published models on every generation; the demo and the golden checkpoints on one of each kind of instructions.</summary>
internal static class TestedModels
{
    private static readonly string[] everyTarget = ["sm_75", "sm_80", "sm_86", "sm_89", "sm_90a"], someTargets = ["sm_75", "sm_80", "sm_90a"];

    public static IEnumerable<TestedModel> All =>
    [
        .. ModelPresets.Names.Select(name =>
            new TestedModel(name, ModelKernels.SizesOf(ModelPresets.Find(name)), [KernelStorage.BF16, KernelStorage.F16], everyTarget)),
        new("demo", Demo, [KernelStorage.BF16, KernelStorage.F16], someTargets),
        new("golden gqa-head64-fp32", GoldenGqa, [KernelStorage.F32, KernelStorage.F16], someTargets),
        new("golden mqa-head128-bf16", GoldenMqa, [KernelStorage.BF16], someTargets),
        new("golden fp16-torch-bin", GoldenTorch, [KernelStorage.F16], someTargets),
    ];

    private static KernelSizes Demo => new()
    {
        VocabularySize = 1280, HiddenSize = 256, IntermediateSize = 512, Attention = new AttentionGeometry(4, 2, 64), LoraRank = 16,
        ImageSize = 84, PatchSize = 14, VisionWidth = 128, VisionIntermediateSize = 384, VisionHeads = 2, ProjectorInputSize = 128,
    };

    private static KernelSizes GoldenGqa => new()
    {
        VocabularySize = 320, HiddenSize = 256, IntermediateSize = 384, Attention = new AttentionGeometry(4, 2, 64), LoraRank = 8,
        ImageSize = 56, PatchSize = 14, VisionWidth = 64, VisionIntermediateSize = 128, VisionHeads = 1, ProjectorInputSize = 64,
    };

    private static KernelSizes GoldenMqa => new()
    {
        VocabularySize = 288, HiddenSize = 256, IntermediateSize = 320, Attention = new AttentionGeometry(2, 1, 128), LoraRank = 16,
        ImageSize = 70, PatchSize = 14, VisionWidth = 128, VisionIntermediateSize = 192, VisionHeads = 2, ProjectorInputSize = 128,
    };

    private static KernelSizes GoldenTorch => new()
    {
        VocabularySize = 272, HiddenSize = 256, IntermediateSize = 256, Attention = new AttentionGeometry(4, 4, 64), LoraRank = 8,
        ImageSize = 70, PatchSize = 14, VisionWidth = 128, VisionIntermediateSize = 192, VisionHeads = 2, ProjectorInputSize = 128,
    };
}
