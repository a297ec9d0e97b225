using XComposer2.Native.Cuda;
using XComposer2.Native.Graph;
using XComposer2.Native.Kernels;
using XComposer2.Native.Model;

namespace XComposer2.Native.Cli;

/// <summary>The kernels that a command is about.</summary>
/// <param name="Models">Whose.</param>
/// <param name="Storage">Type of weights and activations; null for the one that each model would run in.</param>
/// <param name="Quantization">What is quantised while loading.</param>
/// <param name="Targets">Generations.</param>
/// <param name="Names">Entries; empty for all.</param>
internal sealed record KernelSelection(
    IReadOnlyList<KernelModel> Models, DType? Storage, WeightQuantization Quantization, IReadOnlyList<CudaTarget> Targets, IReadOnlyList<string> Names)
{
    /// <summary>The models in words.</summary>
    public string ModelNames => string.Join(", ", Models.Select(model => model.Name));

    /// <summary>Each specialisation for each generation that it serves, once.</summary>
    /// <exception cref="UsageException">No model has a kernel of a name.</exception>
    public IReadOnlyList<SelectedKernel> Find()
    {
        SelectedKernel[] all =
        [
            .. (from target in Targets
                let capability = KernelTargets.CapabilityOf(target)
                from model in Models
                from definition in ModelCatalog.KernelsOf(model.Config, model.StorageOn(capability, Storage), capability, Quantization)
                select new SelectedKernel(definition, target)).Distinct(),
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
/// <param name="Config">What its kernels are specialised to.</param>
internal sealed record KernelModel(string Name, ModelConfig Config)
{
    /// <summary>Whose kernels are meant where nothing is said.</summary>
    public const string DefaultPreset = ModelPresets.VisionLanguage7B;

    /// <summary>Stands for every preset.</summary>
    public const string EveryPreset = "all";

    /// <param name="path">A checkpoint folder; null where a preset is meant.</param>
    /// <param name="preset">Its name, or <see cref="EveryPreset"/>.</param>
    /// <exception cref="UsageException">No preset has this name.</exception>
    public static IReadOnlyList<KernelModel> OpenAll(string? path, string? preset)
    {
        if (path is null && preset == EveryPreset)
            return [.. ModelPresets.Names.Select(name => new KernelModel(name, ModelPresets.Find(name)))];
        if (path is null && !ModelPresets.Names.Contains(preset))
            throw new UsageException($"--preset must be {string.Join(" or ", ModelPresets.Names)} or {EveryPreset}, not '{preset}'");
        return [Open(path, preset)];
    }

    /// <param name="path">A checkpoint folder; null where a preset is meant.</param>
    /// <param name="preset">Its name.</param>
    /// <exception cref="UsageException">No preset has this name.</exception>
    public static KernelModel Open(string? path, string? preset)
    {
        if (path is not null)
        {
            using Checkpoint checkpoint = CheckpointFolder.Open(path);
            return new KernelModel(path, checkpoint.Config);
        }
        return ModelPresets.Names.Contains(preset)
            ? new KernelModel(preset!, ModelPresets.Find(preset!))
            : throw new UsageException($"--preset must be {string.Join(" or ", ModelPresets.Names)}, not '{preset}'");
    }

    /// <summary>The type that the model runs in on a generation: as the engine chooses; before 8.0 tensor cores have no bf16.</summary>
    /// <param name="capability">The generation.</param>
    /// <param name="wanted">Null for no wish.</param>
    /// <exception cref="UsageException">The generation has no kernels of the wanted type.</exception>
    public DType StorageOn(ComputeCapability capability, DType? wanted) => (wanted ?? Config.StoredType) switch
    {
        DType.F32 when wanted is not null => DType.F32,
        DType.BF16 or null when capability.Major >= 8 => DType.BF16,
        DType.BF16 when wanted is not null => throw new UsageException($"--storage bf16 needs compute capability 8.0 or newer, not {capability}"),
        _ => DType.F16,
    };
}
