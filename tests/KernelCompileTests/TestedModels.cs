using XComposer2.Native.Graph;
using XComposer2.Native.Model;

namespace XComposer2.Native.KernelCompileTests;

/// <summary>The published models on every generation; the demo and the golden checkpoints on one of each kind of instructions.</summary>
internal static class TestedModels
{
    private static readonly string[] everyTarget = ["sm_75", "sm_80", "sm_86", "sm_89", "sm_90a"], someTargets = ["sm_75", "sm_80", "sm_90a"];

    public static IEnumerable<TestedModel> All =>
    [
        .. ModelPresets.Names.Select(name => new TestedModel(name, ModelPresets.Find(name), [DType.BF16, DType.F16], everyTarget)),
        new("demo", Demo, [DType.BF16, DType.F16], someTargets),
        new("golden gqa-head64-fp32", GoldenGqa, [DType.F32, DType.F16], someTargets),
        new("golden mqa-head128-bf16", GoldenMqa, [DType.BF16], someTargets),
        new("golden fp16-torch-bin", GoldenTorch, [DType.F16], someTargets),
    ];

    public static ModelConfig Demo => Config(1280, 256, 512, new AttentionGeometry(4, 2, 64), 16, imageSize: 84, Vision(128, 384, 2));

    private static ModelConfig GoldenGqa => Config(320, 256, 384, new AttentionGeometry(4, 2, 64), 8, imageSize: 56, Vision(64, 128, 1));

    private static ModelConfig GoldenMqa => Config(288, 256, 320, new AttentionGeometry(2, 1, 128), 16, imageSize: 70, Vision(128, 192, 2));

    private static ModelConfig GoldenTorch => Config(272, 256, 256, new AttentionGeometry(4, 4, 64), 8, imageSize: 70, Vision(128, 192, 2));

    private static ModelConfig Config(int vocabulary, int hidden, int intermediate, AttentionGeometry heads, int rank, int imageSize, VisionConfig vision) => new()
    {
        Decoder = new DecoderConfig
        {
            VocabularySize = vocabulary, HiddenSize = hidden, IntermediateSize = intermediate, LayerCount = 1, Attention = heads, Plora = DecoderPlora.Uniform(rank, 1f),
        },
        Vision = vision,
        ImageSize = imageSize,
        Variant = ModelVariant.VisionLanguage7B,
    };

    private static VisionConfig Vision(int width, int intermediate, int heads) => new()
    {
        Width = width, IntermediateSize = intermediate, LayerCount = 1, HeadCount = heads, PatchSize = 14, StoredGrid = 4,
    };
}

/// <summary>A model whose kernels are compiled.</summary>
/// <param name="Name">For messages.</param>
/// <param name="Config">What kernels are specialised to.</param>
/// <param name="Storages">Types that its weights come in.</param>
/// <param name="Targets">Generations to compile for, as NVRTC names them.</param>
internal sealed record TestedModel(string Name, ModelConfig Config, DType[] Storages, string[] Targets);
