using XComposer2.Native.Graph;

namespace XComposer2.Native.Model;

/// <summary>Opens a published checkpoint folder; <see cref="WeightFiles"/> selects its weight files.</summary>
public static class CheckpointFolder
{
    public const string EmbeddingName = "model.tok_embeddings.weight";

    internal const int MaximumConfigBytes = 1 << 20;

    private const string ConfigName = "config.json", AdapterConfigName = "adapter_config.json";

    /// <summary>Opens the folder; <see cref="Checkpoint.Dispose"/> unmaps it.</summary>
    /// <param name="directory">The folder.</param>
    /// <param name="options">Null for the defaults.</param>
    /// <exception cref="CheckpointException">A file is missing, damaged, contradictory or unsupported.</exception>
    public static Checkpoint Open(string directory, CheckpointOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(directory);
        if (!Directory.Exists(directory))
            throw new CheckpointException(directory, "checkpoint", "a folder with config.json and weights", DescribeAbsent(directory));
        string configPath = Path.Combine(directory, ConfigName);
        try
        {
            IntegerManifest.RequireFinished(directory);
            return File.Exists(configPath) ? Open(directory, configPath, options ?? new CheckpointOptions()) : throw WithoutConfig(directory, configPath);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new CheckpointException(directory, "checkpoint", "a readable folder", error.Message, error);
        }
        catch (Exception error) when (error is OutOfMemoryException)
        {
            throw new CheckpointException(directory, "checkpoint", "enough memory to open it", error.Message, error);
        }
    }

    private static Checkpoint Open(string directory, string configPath, CheckpointOptions options)
    {
        using FileBytes config = FileBytes.Read(configPath, MaximumConfigBytes, "configuration", options.Cancellation);
        config.RefuseStandIn("the configuration");
        ReadOnlySpan<byte> json = config.Whole();
        QuantizationSettings quantization = QuantizationSettings.Read(directory, configPath, json);
        IntegerManifest? manifest = IntegerManifest.TryRead(directory);
        manifest?.RequireFiles(directory);
        WeightReader reader = new(options.Loading, options.Cancellation);
        WeightFiles files = WeightFiles.Open(directory, reader);
        try
        {
            TensorSet set = new(files.Files);
            IReadOnlyList<CheckpointTensor> tensors = set.Tensors;
            IWeightSource source = set;
            string? notice = null;
            (string layout, string weightType) = (files.Layout, MostCommonType(tensors));
            if (tensors.Any(tensor => tensor.Name.EndsWith(GptqWeights.QuantizedSuffix, StringComparison.Ordinal)))
            {
                GptqWeights weights = new(set, quantization, options.ExactGptqLimitBytes);
                (source, tensors, layout, weightType) = (weights, weights.Tensors, $"{weights.Kind} 4-bit{Checkpoint.DequantizedWords(weights.WeightType)}: {layout}", $"4-bit {weights.Kind}");
            }
            else if (BitsAndBytesWeights.IsIn(tensors))
            {
                BitsAndBytesWeights weights = new(set);
                (source, tensors, weightType) = (weights, weights.Tensors, $"{weights.Kind} of bitsandbytes");
                if (weights.Converted is { } converted)
                {
                    layout = $"bitsandbytes {weights.Kind}{Checkpoint.DequantizedWords(converted.Type)}: {layout}";
                    notice = FormattableString.Invariant($"4-bit weights of bitsandbytes are converted to {converted.Type} while loading and take {converted.Bytes >> 20} MiB; --weights int4 keeps them small");
                }
            }
            else if (manifest is not null)
            {
                IntegerWeights weights = new(set, manifest, directory);
                (source, tensors, weightType) = (weights, weights.Tensors, weights.Formats);
            }

            ModelConfig model = ModelConfigReader.Resolve(configPath, json, tensors);
            if (options.Adapters.Count > 0)
            {
                string merged = $", {options.Adapters.Count} {(options.Adapters.Count == 1 ? "adapter" : "adapters")} merged";
                (source, layout, weightType) = (WithAdapters(source, tensors, options.Adapters, reader), layout + merged, weightType + merged);
            }

            return new Checkpoint(directory, layout, weightType, model, tensors, source) { Loading = options.Loading, FileBytes = reader.TotalBytes, Notice = notice };
        }
        catch
        {
            files.Dispose();
            throw;
        }
    }

    /// <summary>By bytes.</summary>
    private static string MostCommonType(IReadOnlyList<CheckpointTensor> tensors) =>
        tensors.GroupBy(tensor => tensor.TypeName).MaxBy(group => group.Sum(tensor => tensor.Bytes))?.Key.ToLowerInvariant() ?? "no weights";

    private static AdaptedWeights WithAdapters(IWeightSource source, IReadOnlyList<CheckpointTensor> tensors, IReadOnlyList<string> folders, WeightReader reader)
    {
        List<LoraAdapter> adapters = [];
        try
        {
            foreach (string folder in folders)
                adapters.Add(LoraAdapter.Open(folder, reader));
            return new AdaptedWeights(source, tensors, adapters);
        }
        catch
        {
            foreach (LoraAdapter adapter in adapters)
                adapter.Dispose();
            throw;
        }
    }

    private static string DescribeAbsent(string directory)
    {
        if (File.Exists(directory))
            return "a file";
        bool mayBeHubId = directory.AsSpan().Count('/') == 1 && directory[0] is not ('.' or '~' or '/') && directory[^1] != '/';
        return mayBeHubId ? "no such folder; if this is a model's id on a hub: nothing is downloaded, so download it and name its folder" : "no such folder";
    }

    /// <summary>Recognises common folders that are not checkpoints.</summary>
    private static CheckpointException WithoutConfig(string directory, string configPath)
    {
        if (new FileInfo(configPath).LinkTarget is { } target)
            return new CheckpointException(configPath, "file", "the model's configuration", $"a link to {CheckpointException.Show(target)}, which does not exist; download the model again");
        string adapterPath = Path.Combine(directory, AdapterConfigName);
        if (File.Exists(adapterPath))
            return new CheckpointException(directory, "checkpoint", "a whole model", $"a LoRA adapter ({AdapterConfigName}) of the base model {AdapterBase(adapterPath)}; merge it into that model first");
        string snapshots = Path.Combine(directory, "snapshots");
        if (Directory.Exists(snapshots))
            return new CheckpointException(directory, "checkpoint", "a model's folder", $"the root of a hub cache; the model is in {Snapshot(directory, snapshots)}");
        return new CheckpointException(configPath, "file", "the model's configuration", "no such file");
    }

    private static string AdapterBase(string path)
    {
        using FileBytes bytes = FileBytes.Read(path, MaximumConfigBytes, "configuration");
        using var document = ConfigSection.ParseDocument(path, bytes.Whole());
        return new ConfigSection(path, "", document.RootElement).Text("base_model_name_or_path") is { } name ? CheckpointException.Show(name) : "(not named)";
    }

    /// <summary>The snapshot named by refs/main, else the only one, else a placeholder.</summary>
    private static string Snapshot(string directory, string snapshots)
    {
        const int MaximumReferenceBytes = 256;
        string reference = Path.Combine(directory, "refs", "main");
        if (File.Exists(reference))
        {
            using FileBytes bytes = FileBytes.Read(reference, MaximumReferenceBytes, "reference");
            string name = System.Text.Encoding.UTF8.GetString(bytes.Whole()).Trim();
            if (name.Length > 0 && !name.AsSpan().ContainsAny('/', '\\') && Directory.Exists(Path.Combine(snapshots, name)))
                return Path.Combine(snapshots, name);
        }
        string[] all = [.. Directory.EnumerateDirectories(snapshots).Take(2)];
        return all.Length == 1 ? all[0] : Path.Combine(snapshots, "REVISION");
    }
}
