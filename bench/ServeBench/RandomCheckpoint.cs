using System.Buffers.Binary;
using System.Text;
using System.Text.Json.Nodes;
using XComposer2.Native.Graph;
using XComposer2.Native.Model;

namespace XComposer2.Native.ServeBench;

/// <summary>Writes a checkpoint with the decoder's sizes of a preset, random weights, and the tokenizer and vision tower of the demo: a token costs what it costs in a real model.</summary>
internal static class RandomCheckpoint
{
    /// <param name="folder">Made; must not exist.</param>
    /// <param name="preset">Whose sizes.</param>
    /// <param name="layers">Decoder layers.</param>
    /// <param name="demo">Folder of the demo.</param>
    public static void Write(string folder, string preset, int layers, string demo)
    {
        JsonObject config = JsonNode.Parse(File.ReadAllText(Path.Combine(demo, "config.json")))!.AsObject();
        DecoderPlora plora = CheckpointFolder.Open(demo).Config.Decoder.Plora;
        DecoderConfig decoder = ModelPresets.Find(preset).WithLayers(layers).Decoder with { Plora = plora };
        config["vocab_size"] = decoder.VocabularySize;
        config["hidden_size"] = decoder.HiddenSize;
        config["intermediate_size"] = decoder.IntermediateSize;
        config["num_hidden_layers"] = decoder.LayerCount;
        config["num_attention_heads"] = decoder.Attention.QueryHeads;
        config["num_key_value_heads"] = decoder.Attention.KeyValueHeads;
        Directory.CreateDirectory(folder);
        File.WriteAllText(Path.Combine(folder, "config.json"), config.ToJsonString());
        File.Copy(Path.Combine(demo, "tokenizer.model"), Path.Combine(folder, "tokenizer.model"));
        ModelConfig sizes = CheckpointFolder.Open(demo).Config with { Decoder = decoder };
        using var weights = new SyntheticWeights(sizes);
        IReadOnlyList<ExpectedTensor> tensors = ModelTensors.Expected(sizes);
        byte[] header = Header(tensors);
        using FileStream file = File.Create(Path.Combine(folder, "model.safetensors"));
        Span<byte> length = stackalloc byte[sizeof(long)];
        BinaryPrimitives.WriteInt64LittleEndian(length, header.Length);
        file.Write(length);
        file.Write(header);
        foreach (ExpectedTensor tensor in tensors)
            Append(file, weights.TryGet(tensor.Name, out HostTensor found) ? found : throw new InvalidOperationException($"{tensor.Name}: the random weights lack it"));
    }

    private static unsafe void Append(FileStream file, HostTensor tensor)
    {
        const int Chunk = 1 << 24;
        for (long done = 0; done < tensor.Bytes; done += Chunk)
            file.Write(new ReadOnlySpan<byte>((byte*)tensor.Data + done, (int)Math.Min(Chunk, tensor.Bytes - done)));
    }

    private static byte[] Header(IReadOnlyList<ExpectedTensor> tensors)
    {
        var header = new JsonObject();
        long offset = 0;
        foreach (ExpectedTensor tensor in tensors)
        {
            long end = offset + DType.BF16.Bytes(tensor.Shape.ElementCount);
            header[tensor.Name] = new JsonObject
            {
                ["dtype"] = "BF16", ["shape"] = new JsonArray([.. tensor.Shape.AsSpan().ToArray().Select(size => JsonValue.Create(size))]), ["data_offsets"] = new JsonArray(offset, end),
            };
            offset = end;
        }

        string text = header.ToJsonString();
        return Encoding.UTF8.GetBytes(text.PadRight((text.Length + 7) / 8 * 8));
    }
}
