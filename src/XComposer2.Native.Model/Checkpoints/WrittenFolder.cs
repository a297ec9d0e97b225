using System.Buffers.Binary;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using XComposer2.Native.Graph;

namespace XComposer2.Native.Model;

/// <summary>Writing of checkpoint folders: files that appear whole or not at all, headers and indices of safetensors shards, and what is copied beside the weights.</summary>
internal static class WrittenFolder
{
    private const long MaximumCopiedBytes = 64L << 20;

    private static readonly string[] copiedEndings = [".json", ".py", ".model", ".txt", ".md"];

    /// <summary>Writes a file under another name and renames it.</summary>
    public static void Publish(string path, Action<Stream> write)
    {
        string temporary = $"{path}.{Guid.NewGuid():N}.tmp";
        try
        {
            using (FileStream stream = new(temporary, FileMode.CreateNew, FileAccess.Write, FileShare.None))
            {
                write(stream);
                stream.Flush(flushToDisk: true);
            }
            File.Move(temporary, path, overwrite: true);
        }
        finally
        {
            File.Delete(temporary);
        }
    }

    /// <summary>Name of one of several shards.</summary>
    public static string ShardName(int index, int count) =>
        count == 1 ? "model.safetensors" : FormattableString.Invariant($"model-{index + 1:D5}-of-{count:D5}.safetensors");

    /// <summary>The header of a safetensors file whose tensors follow each other without gaps.</summary>
    public static byte[] Header(IEnumerable<(string Name, DType Type, Shape Shape)> tensors)
    {
        using MemoryStream json = new();
        using (Utf8JsonWriter writer = new(json))
        {
            writer.WriteStartObject();
            writer.WriteStartObject("__metadata__");
            writer.WriteString("format", "pt");
            writer.WriteEndObject();
            long offset = 0;
            foreach ((string name, DType type, Shape shape) in tensors)
            {
                writer.WriteStartObject(name);
                writer.WriteString("dtype", $"{type}");
                writer.WriteStartArray("shape");
                foreach (int size in shape.AsSpan())
                    writer.WriteNumberValue(size);
                writer.WriteEndArray();
                writer.WriteStartArray("data_offsets");
                writer.WriteNumberValue(offset);
                writer.WriteNumberValue(offset += type.Bytes(shape.ElementCount));
                writer.WriteEndArray();
                writer.WriteEndObject();
            }
            writer.WriteEndObject();
        }
        // Data begin at a multiple of 8 bytes.
        int padding = (int)((8 - (json.Length % 8)) % 8);
        byte[] header = new byte[sizeof(long) + json.Length + padding];
        BinaryPrimitives.WriteInt64LittleEndian(header, json.Length + padding);
        json.ToArray().CopyTo(header, sizeof(long));
        header.AsSpan(header.Length - padding).Fill((byte)' ');
        return header;
    }

    /// <summary>Writes the index of shards.</summary>
    /// <param name="directory">Of the shards.</param>
    /// <param name="shardOfTensor">By tensor.</param>
    /// <param name="totalBytes">Of all tensors.</param>
    public static void WriteIndex(string directory, IEnumerable<(string Tensor, string Shard)> shardOfTensor, long totalBytes)
    {
        JsonObject map = [];
        foreach ((string tensor, string shard) in shardOfTensor)
            map.Add(tensor, shard);
        JsonObject index = new() { ["metadata"] = new JsonObject { ["total_size"] = totalBytes }, ["weight_map"] = map };
        Publish(Path.Combine(directory, "model.safetensors.index.json"), stream => stream.Write(Encoding.UTF8.GetBytes(index.ToJsonString())));
    }

    /// <summary>Copies the configuration (without quantization_config, which is of other weights), the tokenizer, code and texts.</summary>
    public static void CopyRest(string directory, string output)
    {
        foreach (FileInfo file in new DirectoryInfo(directory).EnumerateFiles())
        {
            bool isWanted = copiedEndings.Contains(file.Extension) && !file.Name.EndsWith(".index.json", StringComparison.Ordinal)
                && file.Name is not ("quantize_config.json" or IntegerManifest.FileName or IntegerManifest.UnfinishedName);
            if (!isWanted || file.ResolveLinkTarget(returnFinalTarget: true) is FileInfo { Length: > MaximumCopiedBytes } || file.Length > MaximumCopiedBytes)
                continue;
            byte[] content = File.ReadAllBytes(file.FullName);
            if (file.Name == "config.json" && JsonNode.Parse(ConfigSection.WithoutMark(content).ToArray()) is JsonObject config && config.Remove("quantization_config"))
                content = Encoding.UTF8.GetBytes(config.ToJsonString());
            Publish(Path.Combine(output, file.Name), stream => stream.Write(content));
        }
    }
}
