using System.Text.Json;
using XComposer2.Native.Graph;

namespace XComposer2.Native.Model;

/// <summary>
/// A LoRA adapter as PEFT saves it: <c>adapter_config.json</c> and <c>adapter_model.safetensors</c> or <c>.bin</c>. Each pair A [rank, in], B [out, rank]
/// adds scale x B A to one weight [out, in], for all tokens. Owns the mapped file.
/// </summary>
public sealed class LoraAdapter : IDisposable
{
    private const string ConfigName = "adapter_config.json", Prefix = "base_model.model.";

    private readonly TensorFile file;

    private LoraAdapter(string directory, TensorFile file, IReadOnlyDictionary<string, LoraUpdate> updates)
    {
        Directory = directory;
        this.file = file;
        Updates = updates;
    }

    /// <summary>The folder, as given.</summary>
    public string Directory { get; }

    /// <summary>Updates by the name of the target weight.</summary>
    internal IReadOnlyDictionary<string, LoraUpdate> Updates { get; }

    /// <summary>Opens and checks an adapter.</summary>
    /// <exception cref="CheckpointException">A file is missing, damaged or unsupported.</exception>
    public static LoraAdapter Open(string directory) => Open(directory, new WeightReader());

    internal static LoraAdapter Open(string directory, WeightReader reader)
    {
        ArgumentNullException.ThrowIfNull(directory);
        string configPath = Path.Combine(directory, ConfigName);
        if (!File.Exists(configPath))
            throw new CheckpointException(configPath, "file", "the configuration of a LoRA adapter", System.IO.Directory.Exists(directory) ? "no such file" : "no such folder");
        LoraSettings settings = ReadSettings(configPath);
        string safetensors = Path.Combine(directory, "adapter_model.safetensors"), archive = Path.Combine(directory, "adapter_model.bin");
        if (!File.Exists(safetensors) && !File.Exists(archive))
            throw new CheckpointException(directory, "weights", "adapter_model.safetensors or adapter_model.bin", "neither of them");
        TensorFile file = File.Exists(safetensors) ? reader.OpenSafetensors(safetensors) : reader.OpenTorch(archive);
        try
        {
            return new LoraAdapter(directory, file, Pair(file, settings));
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => file.Dispose();

    /// <summary>Values of a tensor in F32.</summary>
    internal float[] Read(string name) => file.TryGet(name, out HostTensor tensor)
        ? HostTensorValues.ToFloats(tensor)
        : throw new InvalidOperationException($"{name} was there when the adapter was read");

    private static LoraSettings ReadSettings(string path)
    {
        using FileBytes bytes = FileBytes.Read(path, CheckpointFolder.MaximumConfigBytes, "configuration");
        bytes.RefuseStandIn("the configuration of a LoRA adapter");
        using JsonDocument document = ConfigSection.ParseDocument(path, bytes.Whole());
        ConfigSection config = new(path, "", document.RootElement);
        if (config.Text("peft_type") is { } type and not "LORA")
            throw config.Bad("peft_type", "LORA", CheckpointException.Show(type));
        foreach (string field in (ReadOnlySpan<string>)["use_dora", "fan_in_fan_out", "lora_bias"])
            if (config.Truth(field) == true)
                throw config.Bad(field, "false", "true");
        if (config.Text("bias") is { } bias and not "none")
            throw config.Bad("bias", "none", CheckpointException.Show(bias));
        foreach (string field in (ReadOnlySpan<string>)["rank_pattern", "alpha_pattern"])
            if (document.RootElement.TryGetProperty(field, out JsonElement pattern) && pattern.ValueKind == JsonValueKind.Object && pattern.EnumerateObject().Any())
                throw config.Bad(field, "one rank and one alpha for all weights", "a pattern");
        int rank = config.Integer("r", 1, 1 << 16) ?? throw config.Bad("r", "a rank", "none");
        double alpha = config.Number("lora_alpha", 0, 1e9) ?? throw config.Bad("lora_alpha", "a number", "none");
        return new LoraSettings(rank, (float)(config.Truth("use_rslora") == true ? alpha / Math.Sqrt(rank) : alpha / rank));
    }

    private static Dictionary<string, LoraUpdate> Pair(TensorFile file, LoraSettings settings)
    {
        Dictionary<string, (CheckpointTensor? Down, CheckpointTensor? Up)> pairs = new(StringComparer.Ordinal);
        foreach (CheckpointTensor tensor in file.Tensors)
        {
            string target = TargetOf(file.Path, tensor, out bool isDown);
            (CheckpointTensor? down, CheckpointTensor? up) = pairs.GetValueOrDefault(target);
            pairs[target] = isDown ? (tensor, up) : (down, tensor);
        }
        Dictionary<string, LoraUpdate> updates = new(StringComparer.Ordinal);
        foreach ((string target, (CheckpointTensor? down, CheckpointTensor? up)) in pairs)
        {
            if (down is null || up is null)
                throw new CheckpointException(file.Path, $"tensor {CheckpointException.Show((down ?? up)!.Name)}", "lora_A and lora_B", down is null ? "no lora_A" : "no lora_B");
            Require(file.Path, down, down.Shape.Rank == 2 && down.Shape[0] == settings.Rank, $"[{settings.Rank}, inputs], as {ConfigName} says");
            Require(file.Path, up, up.Shape.Rank == 2 && up.Shape[1] == settings.Rank, $"[outputs, {settings.Rank}], as {ConfigName} says");
            updates.Add(target, new LoraUpdate(down.Name, up.Name, up.Shape[0], down.Shape[1], settings.Rank, settings.Scale));
        }
        return updates.Count > 0 ? updates : throw new CheckpointException(file.Path, "tensors", "pairs of lora_A and lora_B", "none");
    }

    /// <summary>The target weight of a tensor: <c>base_model.model.MODULE.lora_A[.default].weight</c> changes <c>MODULE.weight</c>.</summary>
    private static string TargetOf(string path, CheckpointTensor tensor, out bool isDown)
    {
        string name = tensor.Name.StartsWith(Prefix, StringComparison.Ordinal) ? tensor.Name[Prefix.Length..] : tensor.Name;
        isDown = true;
        foreach (string part in (ReadOnlySpan<string>)[".lora_A", ".lora_B"])
        {
            isDown = part == ".lora_A";
            foreach (string ending in (ReadOnlySpan<string>)[".weight", ".default.weight"])
                if (name.EndsWith(part + ending, StringComparison.Ordinal))
                    return name[..^(part.Length + ending.Length)] + ".weight";
        }
        throw new CheckpointException(path, $"tensor {CheckpointException.Show(tensor.Name)}", "MODULE.lora_A.weight or MODULE.lora_B.weight", "a tensor of another kind, which would not be applied");
    }

    private static void Require(string path, CheckpointTensor tensor, bool holds, string expected)
    {
        if (!holds || tensor.Type is not { } type || !type.IsFloat())
            throw new CheckpointException(path, $"tensor {CheckpointException.Show(tensor.Name)}", $"{expected}, of F32, F16 or BF16", $"{tensor.TypeName} {tensor.Shape}");
    }

    private readonly record struct LoraSettings(int Rank, float Scale);
}

/// <summary>Update of one weight: scale x B A.</summary>
/// <param name="Down">Name of A, [rank, inputs].</param>
/// <param name="Up">Name of B, [outputs, rank].</param>
/// <param name="Outputs">Rows of the weight.</param>
/// <param name="Inputs">Columns of the weight.</param>
/// <param name="Rank">Inner size.</param>
/// <param name="Scale">Factor.</param>
internal sealed record LoraUpdate(string Down, string Up, int Outputs, int Inputs, int Rank, float Scale);
