using System.Globalization;

namespace XComposer2.Native.Model;

/// <summary>
/// The weight files of a checkpoint folder. In order of preference: safetensors shards with their index, <c>model.safetensors</c>,
/// <c>gptq_model*.safetensors</c> (with an index, in shards, or one file), torch shards with their index, <c>pytorch_model.bin</c>, shards of
/// either format without an index, any other safetensors file that holds a model.
/// An index with missing shards is skipped if a later kind is complete (the published 1.8B has such an index).
/// </summary>
internal sealed class WeightFiles : IDisposable
{
    private const string Safetensors = ".safetensors", Torch = ".bin";

    private WeightFiles(IReadOnlyList<TensorFile> files, string layout)
    {
        Files = files;
        Layout = layout;
    }

    public IReadOnlyList<TensorFile> Files { get; }

    /// <summary>Description of the file layout.</summary>
    public string Layout { get; }

    /// <summary>Finds and opens the weight files.</summary>
    /// <exception cref="CheckpointException">There are no weights, a shard is missing, or a file is damaged.</exception>
    public static WeightFiles Open(string directory, WeightReader reader)
    {
        ShardIndex? incomplete = null;
        string ignored = "";
        if (TryIndex("model.safetensors.index.json", Safetensors) is { } safetensorsIndex)
            return safetensorsIndex;
        if (TrySingle("model.safetensors") is { } single)
            return new WeightFiles([reader.OpenSafetensors(single)], "safetensors, one file" + ignored);
        if (TryQuantized() is { } quantized)
            return quantized;
        if (TryIndex("pytorch_model.bin.index.json", Torch) is { } torchIndex)
            return torchIndex;
        if (TrySingle("pytorch_model.bin") is { } archive)
            return new WeightFiles([reader.OpenTorch(archive)], "torch .bin, one file" + ignored);
        if (incomplete is not null)
            throw MissingShard(directory, incomplete);
        return TryShards(directory, "model-*", Safetensors, reader) ?? TryShards(directory, "pytorch_model-*", Torch, reader) ?? OpenAnySafetensors(directory, reader);

        WeightFiles? TryIndex(string name, string extension)
        {
            string path = Path.Combine(directory, name);
            if (!File.Exists(path))
                return null;
            ShardIndex index = ShardIndex.Read(path, extension);
            if (index.RequiredShards.All(shard => File.Exists(Path.Combine(directory, shard))))
                return OpenIndexed(directory, index, extension, ignored, reader);
            incomplete ??= index;
            ignored = $" ({name} passed over: it names shards that are absent)";
            return null;
        }

        WeightFiles? TryQuantized()
        {
            string[] names = [.. Directory.EnumerateFiles(directory, "gptq_model*").Select(Path.GetFileName).OfType<string>().Order(StringComparer.Ordinal)];
            foreach (string name in names.Where(name => name.EndsWith(".safetensors.index.json", StringComparison.Ordinal)))
                if (TryIndex(name, Safetensors) is { } indexed)
                    return indexed;
            if (TryShards(directory, "gptq_model*", Safetensors, reader) is { } shards)
                return shards;
            return names.FirstOrDefault(name => name.EndsWith(Safetensors, StringComparison.Ordinal)) is { } one
                ? new WeightFiles([reader.OpenSafetensors(Path.Combine(directory, one))], $"safetensors, {one}" + ignored)
                : null;
        }

        string? TrySingle(string name) => File.Exists(Path.Combine(directory, name)) ? Path.Combine(directory, name) : null;
    }

    public void Dispose()
    {
        foreach (TensorFile file in Files)
            file.Dispose();
    }

    private static CheckpointException MissingShard(string directory, ShardIndex index)
    {
        string missing = index.RequiredShards.First(shard => !File.Exists(Path.Combine(directory, shard)));
        return new CheckpointException(index.Path, "weight_map", $"its shard {CheckpointException.Show(missing)} beside it", "no such file");
    }

    private static WeightFiles OpenIndexed(string directory, ShardIndex index, string extension, string ignored, WeightReader reader)
    {
        string[] shards = [.. index.Shards.Where(shard => File.Exists(Path.Combine(directory, shard)))];
        WeightFiles opened = OpenAll(directory, shards, extension, $"{Words(extension)}, {shards.Length} shards" + ignored, reader);
        try
        {
            Dictionary<string, TensorFile> files = shards.Zip(opened.Files).ToDictionary();
            foreach ((string tensor, string shard) in index.ShardOfTensor)
                if (ShardIndex.IsRequired(tensor) && !files[shard].Contains(tensor))
                    throw new CheckpointException(Path.Combine(directory, shard), $"tensor {CheckpointException.Show(tensor)}", $"it, as {Path.GetFileName(index.Path)} says", "no such tensor");
            return opened;
        }
        catch
        {
            opened.Dispose();
            throw;
        }
    }

    /// <summary>A set of shards without an index; tensor names are unique across shards.</summary>
    private static WeightFiles? TryShards(string directory, string pattern, string extension, WeightReader reader)
    {
        HashSet<string> names = [.. Directory.EnumerateFiles(directory, pattern + extension).Select(Path.GetFileName).OfType<string>()];
        foreach (string name in names.Order(StringComparer.Ordinal))
        {
            if (ShardName.Parse(name, extension) is not { } first)
                continue;
            string[] shards = [.. Enumerable.Range(1, first.Count).Select(number => first.NameOf(number))];
            if (shards.FirstOrDefault(shard => !names.Contains(shard)) is { } missing)
                throw new CheckpointException(directory, "weights", $"{first.Count} shards, as {CheckpointException.Show(name)} says", $"no {CheckpointException.Show(missing)}");
            return OpenAll(directory, shards, extension, $"{Words(extension)}, {shards.Length} shards without {first.Stem.TrimEnd('-')}{extension}.index.json", reader);
        }
        return null;
    }

    private static WeightFiles OpenAll(string directory, IReadOnlyList<string> names, string extension, string layout, WeightReader reader)
    {
        List<TensorFile> files = [];
        try
        {
            foreach (string name in names)
                files.Add(extension == Torch ? reader.OpenTorch(Path.Combine(directory, name)) : reader.OpenSafetensors(Path.Combine(directory, name)));
            return new WeightFiles(files, layout);
        }
        catch
        {
            foreach (TensorFile file in files)
                file.Dispose();
            throw;
        }
    }

    private static WeightFiles OpenAnySafetensors(string directory, WeightReader reader)
    {
        foreach (string path in Directory.EnumerateFiles(directory, "*.safetensors").Order(StringComparer.Ordinal))
        {
            TensorFile file = reader.OpenSafetensors(path);
            if (file.Contains(CheckpointFolder.EmbeddingName))
                return new WeightFiles([file], "safetensors, one file");
            file.Dispose();
        }
        bool isAdapter = Directory.EnumerateFiles(directory, "adapter_model.*").Any();
        throw new CheckpointException(directory, "weights", "model.safetensors, pytorch_model.bin, either of them in shards, or gptq_model*.safetensors",
            isAdapter ? "a LoRA adapter (adapter_model), which has to be merged into its base model first" : "none of them");
    }

    private static string Words(string extension) => extension == Torch ? "torch .bin" : "safetensors";

    /// <summary>The name of one shard of several: <c>STEM-00002-of-00005.safetensors</c>.</summary>
    private readonly record struct ShardName(string Stem, int Count, string Extension)
    {
        private const int Digits = 5;
        private const string Of = "-of-";

        public static ShardName? Parse(string name, string extension)
        {
            if (!name.EndsWith(extension, StringComparison.Ordinal))
                return null;
            string stem = name[..^extension.Length];
            int of = stem.LastIndexOf(Of, StringComparison.Ordinal);
            if (of <= Digits || stem[of - Digits - 1] != '-' || stem.Length != of + Of.Length + Digits)
                return null;
            bool isNumbered = TryNumber(stem.AsSpan(of - Digits, Digits), out int number) & TryNumber(stem.AsSpan(of + Of.Length), out int count);
            return isNumbered && number >= 1 && number <= count ? new ShardName(stem[..(of - Digits)], count, extension) : null;
        }

        public string NameOf(int number) => string.Create(CultureInfo.InvariantCulture, $"{Stem}{number:D5}{Of}{Count:D5}{Extension}");

        private static bool TryNumber(ReadOnlySpan<char> digits, out int number) => int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out number);
    }
}
