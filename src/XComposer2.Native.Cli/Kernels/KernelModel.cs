using XComposer2.Native.Cuda;
using XComposer2.Native.Graph;
using XComposer2.Native.Kernels;
using XComposer2.Native.Model;

namespace XComposer2.Native.Cli;

/// <summary>The model whose kernels are meant.</summary>
/// <param name="Name">Preset or folder.</param>
/// <param name="Sizes">What its kernels are specialised to.</param>
/// <param name="StoredType">Type of its weights; null where it does not say.</param>
internal sealed record KernelModel(string Name, KernelSizes Sizes, DType? StoredType)
{
    /// <param name="path">A checkpoint folder; null where a preset is meant.</param>
    /// <param name="preset">Its name.</param>
    /// <exception cref="UsageException">No preset has this name.</exception>
    public static KernelModel Open(string? path, string? preset)
    {
        if (path is not null)
        {
            using Checkpoint checkpoint = CheckpointFolder.Open(path);
            return Of(path, checkpoint.Config);
        }
        return ModelPresets.Names.Contains(preset)
            ? Of(preset!, ModelPresets.Find(preset!))
            : throw new UsageException($"--preset must be {string.Join(" or ", ModelPresets.Names)}, not '{preset}'");
    }

    /// <summary>The type that the model runs in on a generation: as the engine chooses; before 8.0 tensor cores have no bf16.</summary>
    /// <param name="capability">The generation.</param>
    /// <param name="wanted">Null for no wish.</param>
    /// <exception cref="UsageException">The generation has no kernels of the wanted type.</exception>
    public KernelStorage StorageOn(ComputeCapability capability, DType? wanted) => (wanted ?? StoredType) switch
    {
        DType.F32 when wanted is not null => KernelStorage.F32,
        DType.BF16 or null when capability.Major >= 8 => KernelStorage.BF16,
        DType.BF16 when wanted is not null => throw new UsageException($"--storage bf16 needs compute capability 8.0 or newer, not {capability}"),
        _ => KernelStorage.F16,
    };

    private static KernelModel Of(string name, ModelConfig config) => new(name, ModelKernels.SizesOf(config), config.StoredType);
}
