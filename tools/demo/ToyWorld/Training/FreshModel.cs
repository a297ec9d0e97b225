using System.Text.Json.Nodes;
using XComposer2.Demo.World;
using XComposer2.Native.Graph;
using XComposer2.Native.Model;

namespace XComposer2.Demo.Training;

/// <summary>Writes the demo's model before it has learnt anything: its sizes, its tokenizer and random weights in F32.</summary>
internal static class FreshModel
{
    private const double EmbeddingDeviation = 0.02, LayerDeviation = 0.04;

    /// <param name="folder">Made if missing.</param>
    /// <param name="like">Checkpoint whose tokenizer and configuration are taken.</param>
    /// <param name="layers">Decoder layers.</param>
    /// <param name="seed">Of the weights.</param>
    public static void Write(string folder, string like, int layers, ulong seed)
    {
        Directory.CreateDirectory(folder);
        JsonObject config = JsonNode.Parse(File.ReadAllText(Path.Combine(like, "config.json")))!.AsObject();
        config["num_hidden_layers"] = layers;
        File.WriteAllText(Path.Combine(folder, "config.json"), config.ToJsonString(new() { WriteIndented = true }) + "\n");
        File.Copy(Path.Combine(like, "tokenizer.model"), Path.Combine(folder, "tokenizer.model"), overwrite: true);
        using Checkpoint known = CheckpointFolder.Open(like, new CheckpointOptions());
        ModelConfig sizes = known.Config.WithLayers(layers);
        HostTensorName[] tensors = [.. ModelTensors.Expected(sizes).Select(tensor => new HostTensorName(tensor.Name, DType.F32, tensor.Shape))];
        SafetensorsWriter.Write(Path.Combine(folder, "model.safetensors"), tensors, tensor => SafetensorsWriter.BytesOf(Values(tensor.Name, tensor.Shape, seed), DType.F32));
    }

    /// <summary>Values as the decoder's and the vision tower's authors began: norms 1, biases 0, the second matrices of Partial LoRA 0, all else normally distributed.</summary>
    internal static float[] Values(string name, Shape shape, ulong seed)
    {
        float[] values = new float[shape.ElementCount];
        if (name.EndsWith(".bias", StringComparison.Ordinal) || name.EndsWith(".Plora_B.weight", StringComparison.Ordinal))
            return values;
        if (shape.Rank == 1 && name.EndsWith(".weight", StringComparison.Ordinal))
        {
            Array.Fill(values, 1);
            return values;
        }

        double deviation = name.Contains("layers.", StringComparison.Ordinal) ? LayerDeviation
            : name.Contains("patch_embedding", StringComparison.Ordinal) ? 1 / Math.Sqrt(3.0 * shape.ElementCount / shape[0]) : EmbeddingDeviation;
        SeededRandom random = SeededRandom.For(name, seed, 0);
        foreach (ref float value in values.AsSpan())
            value = (float)(deviation * Math.Sqrt(-2 * Math.Log(1 - random.Fraction())) * Math.Cos(2 * Math.PI * random.Fraction()));
        return values;
    }
}
