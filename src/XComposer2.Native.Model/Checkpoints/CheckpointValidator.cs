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
        RequireFinite(checkpoint, checkpoint.Tensors.Where(static tensor => ModelTensors.KindOf(tensor.Name) == TensorKind.Norm || tensor.Name.Contains("layer_norm", StringComparison.Ordinal)), CancellationToken.None);
    }

    /// <summary>Reads every floating weight, on all cores.</summary>
    /// <exception cref="CheckpointException">One is NaN or infinite: names the tensor and the first such element.</exception>
    public static void ValidateAllValues(Checkpoint checkpoint, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(checkpoint);
        RequireFinite(checkpoint, checkpoint.Tensors, cancellation);
    }

    private static void RequireFinite(Checkpoint checkpoint, IEnumerable<CheckpointTensor> tensors, CancellationToken cancellation)
    {
        foreach (CheckpointTensor facts in tensors)
        {
            if (facts.Type is not { } type || !type.IsFloat() || !checkpoint.TryGetStoredNumbers(facts.Name, out HostTensor tensor))
                continue;
            long index = NonFiniteScan.Find(tensor, cancellation);
            if (index >= 0)
                throw new CheckpointException(facts.File, $"tensor {CheckpointException.Show(facts.Name)}, element {index}", "a finite number", "NaN or infinity");
        }
    }
}
