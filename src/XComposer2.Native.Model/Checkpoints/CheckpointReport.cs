using XComposer2.Native.Graph;

namespace XComposer2.Native.Model;

/// <summary>What a checkpoint lacks, what it has too much, and what has another shape than its configuration demands.</summary>
public sealed record CheckpointReport
{
    public required IReadOnlyList<ExpectedTensor> Missing { get; init; }

    /// <summary>Neither expected nor known to be harmless. Not an error.</summary>
    public required IReadOnlyList<CheckpointTensor> Unknown { get; init; }

    /// <summary>Known and unused: post_layernorm, position_ids, rotary frequencies.</summary>
    public required IReadOnlyList<CheckpointTensor> Ignored { get; init; }

    public required IReadOnlyList<ShapeMismatch> WrongShape { get; init; }

    /// <summary>Biases of decoder linears that are not zero. The network has no place for them, so they are an error.</summary>
    public required IReadOnlyList<CheckpointTensor> DecoderBiases { get; init; }

    public bool IsUsable => Missing.Count == 0 && WrongShape.Count == 0 && DecoderBiases.Count == 0;

    public static CheckpointReport Create(ModelConfig config, IReadOnlyList<CheckpointTensor> tensors)
    {
        ArgumentNullException.ThrowIfNull(tensors);
        Dictionary<string, ExpectedTensor> expected = ModelTensors.Expected(config).ToDictionary(tensor => tensor.Name);
        List<CheckpointTensor> unknown = [], ignored = [], biases = [];
        List<ShapeMismatch> wrong = [];
        foreach (CheckpointTensor tensor in tensors)
        {
            if (expected.Remove(tensor.Name, out ExpectedTensor? wanted))
            {
                if (tensor.Shape != wanted.Shape || tensor.Type is not { } type || !type.IsFloat())
                    wrong.Add(new ShapeMismatch(tensor.Name, tensor.File, wanted.Shape, tensor.Shape, tensor.TypeName));
            }
            else
            {
                bool isBias = tensor.Name.StartsWith("model.layers.", StringComparison.Ordinal) && tensor.Name.EndsWith(".bias", StringComparison.Ordinal);
                (ModelTensors.IsIgnored(tensor.Name) ? ignored : isBias ? biases : unknown).Add(tensor);
            }
        }
        return new CheckpointReport
        {
            Missing = [.. ModelTensors.Expected(config).Where(tensor => expected.ContainsKey(tensor.Name))],
            Unknown = unknown,
            Ignored = ignored,
            WrongShape = wrong,
            DecoderBiases = biases,
        };
    }

    /// <param name="directory">Of the checkpoint, for the message.</param>
    /// <exception cref="CheckpointException">The report holds an error; the message names the first and counts the rest.</exception>
    public void ThrowIfUnusable(string directory)
    {
        if (WrongShape.Count > 0)
            throw new CheckpointException(WrongShape[0].File, $"tensor {CheckpointException.Show(WrongShape[0].Name)}", $"{WrongShape[0].Expected} of F32, F16 or BF16", $"{WrongShape[0].FoundType} {WrongShape[0].Found}{Rest(WrongShape.Count)}");
        if (Missing.Count > 0)
            throw new CheckpointException(directory, $"tensor {CheckpointException.Show(Missing[0].Name)}", $"{Missing[0].Shape}", $"no such tensor{Rest(Missing.Count)}");
        if (DecoderBiases.Count > 0)
            throw new CheckpointException(DecoderBiases[0].File, $"tensor {CheckpointException.Show(DecoderBiases[0].Name)}", "no bias, or one of zeros", $"another{Rest(DecoderBiases.Count)}");
    }

    private static string Rest(int count) => count == 1 ? "" : $" (and {count - 1} more tensors like it)";
}
