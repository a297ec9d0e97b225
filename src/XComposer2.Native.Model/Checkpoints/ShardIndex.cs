using System.Text.Json;

namespace XComposer2.Native.Model;

/// <summary>A <c>*.index.json</c>: which shard holds which tensor.</summary>
/// <param name="Path">Of the index.</param>
/// <param name="ShardOfTensor">Plain file names, checked to stay inside of the index's folder.</param>
public sealed record ShardIndex(string Path, IReadOnlyDictionary<string, string> ShardOfTensor)
{
    private const int MaximumBytes = 64 << 20;

    public IEnumerable<string> Shards => ShardOfTensor.Values.Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal);

    /// <summary>Shards with at least one tensor of the model; others may be missing.</summary>
    public IEnumerable<string> RequiredShards => ShardOfTensor.Where(entry => IsRequired(entry.Key)).Select(entry => entry.Value).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal);

    /// <summary>Whether the model uses tensors of this name.</summary>
    public static bool IsRequired(string tensor) => ModelTensors.KindOf(tensor) != TensorKind.Unknown && !ModelTensors.IsIgnored(tensor);

    /// <param name="path">Of the index.</param>
    /// <param name="extension">Which all shards must have, for example <c>.safetensors</c>.</param>
    public static ShardIndex Read(string path, string extension)
    {
        using FileBytes bytes = FileBytes.Read(path, MaximumBytes, "index");
        bytes.RefuseStandIn("the index of shards");
        return Parse(bytes.Whole(), path, extension);
    }

    public static ShardIndex Parse(ReadOnlySpan<byte> json, string path, string extension)
    {
        Dictionary<string, string> shards = [];
        bool found = false;
        try
        {
            Utf8JsonReader reader = new(ConfigSection.WithoutMark(json));
            if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
                throw new CheckpointException(path, "index", "a JSON object", $"{reader.TokenType}");
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                bool isMap = reader.ValueTextEquals("weight_map"u8);
                reader.Read();
                if (isMap && found)
                    throw new CheckpointException(path, "weight_map", "one", "a second one");
                if (isMap)
                    ReadMap(ref reader, path, extension, shards);
                else
                    reader.Skip();
                found |= isMap;
            }
            while (reader.Read())
            {
                // Only white space may follow: the reader throws on anything else.
            }
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException)
        {
            throw new CheckpointException(path, "index", "well-formed JSON in UTF-8", CheckpointException.Show(error.Message), error);
        }
        if (!found || shards.Count == 0)
            throw new CheckpointException(path, "weight_map", "an object of tensor name to shard", found ? "an empty one" : "none");
        return new ShardIndex(path, shards);
    }

    private static void ReadMap(ref Utf8JsonReader reader, string path, string extension, Dictionary<string, string> shards)
    {
        if (reader.TokenType != JsonTokenType.StartObject)
            throw new CheckpointException(path, "weight_map", "an object", $"{reader.TokenType}");
        Dictionary<string, string> known = [];
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            string tensor = reader.GetString()!;
            if (!reader.Read() || reader.TokenType != JsonTokenType.String)
                throw new CheckpointException(path, $"weight_map, {CheckpointException.Show(tensor)}", "a file name", $"{reader.TokenType}");
            string shard = reader.GetString()!;
            if (known.TryGetValue(shard, out string? same))
                shard = same;
            else
                known.Add(shard, CheckShard(path, tensor, shard, extension));
            if (!shards.TryAdd(tensor, shard))
                throw new CheckpointException(path, $"weight_map, {CheckpointException.Show(tensor)}", "each name once", "a duplicate");
        }
    }

    private static string CheckShard(string path, string tensor, string shard, string extension)
    {
        if (shard.Length <= extension.Length || !shard.EndsWith(extension, StringComparison.Ordinal) || shard.AsSpan().ContainsAny('/', '\\', ':') || shard.Contains('\0', StringComparison.Ordinal) || shard.StartsWith('.'))
            throw new CheckpointException(path, $"weight_map, {CheckpointException.Show(tensor)}", $"a {extension} file of the same folder", CheckpointException.Show(shard));
        return shard;
    }
}
