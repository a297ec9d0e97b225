using XComposer2.Native.Graph;

namespace XComposer2.Native.Model;

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
    /// <param name="checkpoint">A GPTQ weight is judged by its scales, without dequantising it.</param>
    /// <param name="progress">Told the bytes of each tensor that is done.</param>
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
            if (facts.Type is not { } type || !type.IsFloat() || !checkpoint.TryGetStoredNumbers(facts.Name, out HostTensor tensor))
                continue;
            long index = NonFiniteScan.Find(tensor, cancellation);
            if (index >= 0)
                throw new CheckpointException(facts.File, $"tensor {CheckpointException.Show(facts.Name)}, element {index}", "a finite number", "NaN or infinity");
            progress?.Report(facts.Bytes);
        }
    }
}
