using System.Text.Json;

namespace XComposer2.Native.Model;

/// <summary>
/// Opens a published checkpoint folder. In order of preference: safetensors shards with their index, <c>model.safetensors</c>,
/// <c>gptq_model*.safetensors</c>, torch shards with their index, <c>pytorch_model.bin</c>, any other safetensors file that holds a model.
/// An index whose shards are not all there is passed over when one of the later kinds is complete (the published 1.8B has such an index).
/// </summary>
public static class CheckpointFolder
{
    public const string EmbeddingName = "model.tok_embeddings.weight";

    private const int MaximumConfigBytes = 1 << 20;

    /// <summary>Opens the folder; <see cref="Checkpoint.Dispose"/> unmaps it.</summary>
    /// <exception cref="CheckpointException">Something in it is missing, damaged or contradictory.</exception>
    public static Checkpoint Open(string directory, CheckpointOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(directory);
        if (!Directory.Exists(directory))
            throw new CheckpointException(directory, "checkpoint", "a folder with config.json and weights", File.Exists(directory) ? "a file" : "no such folder");
        string configPath = Path.Combine(directory, "config.json");
        if (!File.Exists(configPath))
            throw new CheckpointException(configPath, "file", "the model's configuration", "no such file");
        try
        {
            return Open(directory, configPath, options ?? new CheckpointOptions());
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
        (List<TensorFile> files, string layout) = OpenFiles(directory);
        IDisposable owner = new DisposableList(files);
        try
        {
            TensorSet set = new(files);
            if (!set.Tensors.Any(tensor => tensor.Name.EndsWith(GptqWeights.QuantizedSuffix, StringComparison.Ordinal)))
                return new Checkpoint(directory, layout, ReadConfig(configPath, set.Tensors), set.Tensors, set);
            GptqWeights weights = new(set, ReadGroupSize(Path.Combine(directory, "quantize_config.json")), options.ExactGptqLimitBytes);
            return new Checkpoint(directory, $"GPTQ 4-bit, dequantised to {weights.WeightType}: {layout}", ReadConfig(configPath, weights.Tensors), weights.Tensors, weights);
        }
        catch
        {
            owner.Dispose();
            throw;
        }
    }

    private static (List<TensorFile> Files, string Layout) OpenFiles(string directory)
    {
        ShardIndex? incomplete = null;
        string ignored = "";
        if (TryIndex("model.safetensors.index.json", ".safetensors") is { } safetensorsIndex)
            return (OpenShards(directory, safetensorsIndex, TensorFile.OpenSafetensors), $"safetensors, {safetensorsIndex.Shards.Count()} shards");
        if (TrySingle("model.safetensors") is { } single)
            return ([TensorFile.OpenSafetensors(single)], "safetensors, one file" + ignored);
        string[] quantized = [.. Directory.EnumerateFiles(directory, "gptq_model*.safetensors").Order(StringComparer.Ordinal)];
        if (quantized.Length > 0)
            return ([TensorFile.OpenSafetensors(quantized[0])], $"safetensors, {Path.GetFileName(quantized[0])}" + ignored);
        if (TryIndex("pytorch_model.bin.index.json", ".bin") is { } torchIndex)
            return (OpenShards(directory, torchIndex, TensorFile.OpenTorch), $"torch .bin, {torchIndex.Shards.Count()} shards" + ignored);
        if (TrySingle("pytorch_model.bin") is { } archive)
            return ([TensorFile.OpenTorch(archive)], "torch .bin, one file" + ignored);
        if (incomplete is not null)
            throw MissingShard(directory, incomplete);
        return (OpenAnySafetensors(directory), "safetensors, one file");

        ShardIndex? TryIndex(string name, string extension)
        {
            string path = Path.Combine(directory, name);
            if (!File.Exists(path))
                return null;
            ShardIndex index = ShardIndex.Read(path, extension);
            if (index.Shards.All(shard => File.Exists(Path.Combine(directory, shard))))
                return index;
            incomplete ??= index;
            ignored = $" ({name} passed over: it names shards that are absent)";
            return null;
        }

        string? TrySingle(string name) => File.Exists(Path.Combine(directory, name)) ? Path.Combine(directory, name) : null;
    }

    private static CheckpointException MissingShard(string directory, ShardIndex index)
    {
        string missing = index.Shards.First(shard => !File.Exists(Path.Combine(directory, shard)));
        return new CheckpointException(index.Path, "weight_map", $"its shard {CheckpointException.Show(missing)} beside it", "no such file");
    }

    private static List<TensorFile> OpenShards(string directory, ShardIndex index, Func<string, TensorFile> open)
    {
        Dictionary<string, TensorFile> files = [];
        try
        {
            foreach (string shard in index.Shards)
                files.Add(shard, open(Path.Combine(directory, shard)));
            foreach ((string tensor, string shard) in index.ShardOfTensor)
                if (!files[shard].Contains(tensor))
                    throw new CheckpointException(Path.Combine(directory, shard), $"tensor {CheckpointException.Show(tensor)}", $"it, as {Path.GetFileName(index.Path)} says", "no such tensor");
            return [.. files.Values];
        }
        catch
        {
            new DisposableList(files.Values).Dispose();
            throw;
        }
    }

    private static List<TensorFile> OpenAnySafetensors(string directory)
    {
        foreach (string path in Directory.EnumerateFiles(directory, "*.safetensors").Order(StringComparer.Ordinal))
        {
            TensorFile file = TensorFile.OpenSafetensors(path);
            if (file.Contains(EmbeddingName))
                return [file];
            file.Dispose();
        }
        throw new CheckpointException(directory, "weights", "model.safetensors, pytorch_model.bin, either of them in shards with an index, or gptq_model*.safetensors", "none of them");
    }

    private static ModelConfig ReadConfig(string path, IReadOnlyList<CheckpointTensor> tensors)
    {
        using FileBytes bytes = FileBytes.Map(path);
        return ModelConfigReader.Resolve(path, bytes.Whole(MaximumConfigBytes, "configuration"), tensors);
    }

    private static int? ReadGroupSize(string path)
    {
        if (!File.Exists(path))
            return null;
        using FileBytes bytes = FileBytes.Map(path);
        using JsonDocument document = ConfigSection.ParseDocument(path, bytes.Whole(MaximumConfigBytes, "configuration"));
        ConfigSection config = new(path, "", document.RootElement);
        if (config.Integer("bits", 2, 8) is { } bits and not 4)
            throw new CheckpointException(path, "bits", "4", $"{bits}");
        if (config.Text("checkpoint_format") is { } format and not "gptq")
            throw new CheckpointException(path, "checkpoint_format", "gptq", CheckpointException.Show(format));
        return config.Integer("group_size", -1, int.MaxValue) is { } size and > 0 ? size : null;
    }

    private sealed class DisposableList(IEnumerable<IDisposable> items) : IDisposable
    {
        public void Dispose()
        {
            foreach (IDisposable item in items)
                item.Dispose();
        }
    }
}
