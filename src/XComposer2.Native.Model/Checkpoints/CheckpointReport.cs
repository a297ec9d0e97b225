using XComposer2.Native.Graph;

namespace XComposer2.Native.Model;

/// <summary>Missing, surplus and misshapen tensors of a checkpoint, compared with its configuration.</summary>
public sealed record CheckpointReport
{
    public required IReadOnlyList<ExpectedTensor> Missing { get; init; }

    /// <summary>Neither expected nor known to be harmless. Not an error.</summary>
    public required IReadOnlyList<CheckpointTensor> Unknown { get; init; }

    /// <summary>Known and unused: post_layernorm, position_ids, rotary frequencies.</summary>
    public required IReadOnlyList<CheckpointTensor> Ignored { get; init; }

    public required IReadOnlyList<ShapeMismatch> WrongShape { get; init; }

    /// <summary>Biases of decoder linears that are not zero. The network does not support them, so they are an error.</summary>
    public required IReadOnlyList<CheckpointTensor> DecoderBiases { get; init; }

    /// <summary>Unmerged LoRA tensors. They would not be applied, so they are an error: the model would answer without its fine-tuning.</summary>
    public required IReadOnlyList<CheckpointTensor> UnmergedLora { get; init; }

    public bool IsUsable => UnmergedLora.Count == 0 && Missing.Count == 0 && WrongShape.Count == 0 && DecoderBiases.Count == 0;

    public static CheckpointReport Create(ModelConfig config, IReadOnlyList<CheckpointTensor> tensors)
    {
        ArgumentNullException.ThrowIfNull(tensors);
        Dictionary<string, ExpectedTensor> expected = ModelTensors.Expected(config).ToDictionary(tensor => tensor.Name);
        List<CheckpointTensor> unknown = [], ignored = [], biases = [], adapters = [];
        List<ShapeMismatch> wrong = [];
        foreach (CheckpointTensor tensor in tensors)
        {
            if (expected.Remove(tensor.Name, out ExpectedTensor? wanted))
            {
                if (tensor.Shape != wanted.Shape || tensor.Type is not { } type || !(type.IsFloat() || tensor.Format is not null))
                    wrong.Add(new ShapeMismatch(tensor.Name, tensor.File, wanted.Shape, tensor.Shape, tensor.TypeName));
            }
            else
            {
                bool isBias = tensor.Name.StartsWith("model.layers.", StringComparison.Ordinal) && tensor.Name.EndsWith(".bias", StringComparison.Ordinal);
                (ModelTensors.IsIgnored(tensor.Name) ? ignored : ModelTensors.IsAdapter(tensor.Name) ? adapters : isBias ? biases : unknown).Add(tensor);
            }
        }
        return new CheckpointReport
        {
            Missing = [.. ModelTensors.Expected(config).Where(tensor => expected.ContainsKey(tensor.Name))],
            Unknown = unknown,
            Ignored = ignored,
            WrongShape = wrong,
            DecoderBiases = biases,
            UnmergedLora = adapters,
        };
    }

    /// <param name="directory">Of the checkpoint, for the message.</param>
    /// <exception cref="CheckpointException">The report holds an error; the message names the first and counts the rest.</exception>
    public void ThrowIfUnusable(string directory)
    {
        if (UnmergedLora.Count > 0)
            throw new CheckpointException(UnmergedLora[0].File, $"tensor {CheckpointException.Show(UnmergedLora[0].Name)}", "weights with their fine-tuning merged into them", $"a LoRA tensor, which is not applied{Rest(UnmergedLora.Count)}; merge it into the weights first");
        if (WrongShape.Count > 0)
            throw new CheckpointException(WrongShape[0].File, $"tensor {CheckpointException.Show(WrongShape[0].Name)}", $"{WrongShape[0].Expected} of F32, F16 or BF16", $"{WrongShape[0].FoundType} {WrongShape[0].Found}{Rest(WrongShape.Count)}");
        if (Missing.Count > 0)
            throw new CheckpointException(directory, $"tensor {CheckpointException.Show(Missing[0].Name)}", $"{Missing[0].Shape}", $"no such tensor{Rest(Missing.Count)}");
        if (DecoderBiases.Count > 0)
            throw new CheckpointException(DecoderBiases[0].File, $"tensor {CheckpointException.Show(DecoderBiases[0].Name)}", "no bias, or one of zeros", $"another{Rest(DecoderBiases.Count)}");
    }

    private static string Rest(int count) => count == 1 ? "" : $" (and {count - 1} more tensors like it)";
}

/// <summary>A tensor of another shape or of an unusable element type.</summary>
public sealed record ShapeMismatch(string Name, string File, Shape Expected, Shape Found, string FoundType);

/// <summary>
/// Checks before a model runs. At every load: names and shapes of all tensors, and that every norm is finite (a few hundred KB; a damaged
/// export shows there as a rule). On request (<c>inspect --check</c>): that every weight is finite, which reads the whole checkpoint.
/// </summary>
public static class CheckpointValidator
{
    /// <summary>The checks of every load.</summary>
    /// <exception cref="CheckpointException">A tensor is missing, of another shape, or a norm is not finite.</exception>
    public static void Validate(Checkpoint checkpoint)
    {
        ArgumentNullException.ThrowIfNull(checkpoint);
        CheckpointReport.Create(checkpoint.Config, checkpoint.Tensors).ThrowIfUnusable(checkpoint.Directory);
        RequireFinite(checkpoint, checkpoint.Tensors.Where(static tensor => ModelTensors.KindOf(tensor.Name) == TensorKind.Norm || tensor.Name.Contains("layer_norm", StringComparison.Ordinal) || tensor.Name.Contains("pre_layrnorm", StringComparison.Ordinal)), null, CancellationToken.None);
    }

    /// <summary>Reads every floating weight, on all cores.</summary>
    /// <param name="checkpoint">GPTQ weights are checked by their scales, without dequantising.</param>
    /// <param name="progress">Receives the bytes of each checked tensor.</param>
    /// <param name="cancellation">Stops between pieces of a tensor.</param>
    /// <exception cref="CheckpointException">One is NaN or infinite: names the tensor and the first such element.</exception>
    public static void ValidateAllValues(Checkpoint checkpoint, IProgress<long>? progress = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(checkpoint);
        RequireFinite(checkpoint, checkpoint.Tensors, progress, cancellation);
    }

    private static void RequireFinite(Checkpoint checkpoint, IEnumerable<CheckpointTensor> tensors, IProgress<long>? progress, CancellationToken cancellation)
    {
        foreach (CheckpointTensor facts in tensors)
        {
            if (facts.Type is not { } type || !(type.IsFloat() || facts.Format is not null) || !checkpoint.TryGetStoredNumbers(facts.Name, out HostTensor tensor))
                continue;
            long index = NonFiniteScan.Find(tensor, cancellation);
            if (index >= 0)
                throw new CheckpointException(facts.File, $"tensor {CheckpointException.Show(facts.Name)}, element {index}", "a finite number", "NaN or infinity");
            progress?.Report(facts.Bytes);
        }
    }
}
