using XComposer2.Native.Cuda;
using XComposer2.Native.Graph;
using XComposer2.Native.Kernels;
using XComposer2.Native.Model;
using WeightFormat = XComposer2.Native.Kernels.WeightFormat;

namespace XComposer2.Native.Cli;

/// <summary>The kernels that a command is about.</summary>
/// <param name="Model">Whose.</param>
/// <param name="Storage">Type of weights and activations; null for the one that the model would run in.</param>
/// <param name="Weights">Of the decoder's linears.</param>
/// <param name="Targets">Generations.</param>
/// <param name="Names">Entries; empty for all.</param>
internal sealed record KernelSelection(KernelModel Model, DType? Storage, WeightFormat Weights, IReadOnlyList<CudaTarget> Targets, IReadOnlyList<string> Names)
{
    /// <summary>Each specialisation for each generation that it serves.</summary>
    /// <exception cref="UsageException">The model has no kernel of a name.</exception>
    public IReadOnlyList<SelectedKernel> Find()
    {
        SelectedKernel[] all =
        [
            .. from target in Targets
               let capability = KernelTargets.CapabilityOf(target)
               from definition in KernelCatalog.For(Model.Sizes, Model.StorageOn(capability, Storage), capability, Weights)
               select new SelectedKernel(definition, target),
        ];
        string[] entries = [.. all.Select(kernel => kernel.Definition.Entry).Distinct().Order(StringComparer.Ordinal)];
        if (Names.FirstOrDefault(name => !entries.Contains(name)) is { } unknown)
            throw new UsageException($"--kernel must be one of {string.Join(", ", entries)}, not '{unknown}'");
        return Names.Count == 0 ? all : [.. all.Where(kernel => Names.Contains(kernel.Definition.Entry))];
    }
}

/// <summary>A specialisation for a generation.</summary>
internal readonly record struct SelectedKernel(KernelDefinition Definition, CudaTarget Target)
{
    /// <inheritdoc cref="SpecialisationOf"/>
    public string Specialisation => SpecialisationOf(Definition);

    /// <summary>As the program asks for it when it runs.</summary>
    public CubinRequest Request => new(Definition.Source, Target, Definition.Options);

    /// <summary>With the compiler's report of what it takes.</summary>
    public CubinRequest ReportingRequest => new(Definition.Source, Target, [.. Definition.Options, KernelResources.Option]);

    /// <summary>What sets a specialisation apart from others of its kernel: its definitions without the sizes of structs and blocks.</summary>
    public static string SpecialisationOf(KernelDefinition definition) => string.Join(' ', definition.Options.Select(option => option[2..])
        .Where(option => !option.Contains("_BYTES=", StringComparison.Ordinal) && !option.StartsWith("BLOCK_THREADS=", StringComparison.Ordinal)));
}

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
