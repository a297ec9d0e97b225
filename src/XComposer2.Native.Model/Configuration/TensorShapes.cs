using System.Globalization;
using XComposer2.Native.Graph;

namespace XComposer2.Native.Model;

/// <summary>The shapes that a checkpoint's tensors have, asked for when sizes are decided.</summary>
internal sealed class TensorShapes
{
    private readonly Dictionary<string, Shape> shapes = [];

    public TensorShapes(IReadOnlyList<CheckpointTensor> tensors)
    {
        foreach (CheckpointTensor tensor in tensors)
            shapes[tensor.Name] = tensor.Shape;
    }

    public bool Any => shapes.Count > 0;

    public bool Has(string name) => shapes.ContainsKey(name);

    /// <summary>One size of a tensor; null where the tensor is absent or of another rank.</summary>
    public SizeEvidence? Size(string name, int dimension, int rank) =>
        shapes.TryGetValue(name, out Shape shape) && shape.Rank == rank ? new SizeEvidence(shape[dimension], $"{name} {shape}") : null;

    /// <summary>How many consecutive numbers from 0 follow <paramref name="prefix"/> in names; null where none does.</summary>
    public SizeEvidence? CountLayers(string prefix, string file)
    {
        HashSet<int> found = [];
        foreach (string name in shapes.Keys)
        {
            if (!name.StartsWith(prefix, StringComparison.Ordinal))
                continue;
            ReadOnlySpan<char> rest = name.AsSpan(prefix.Length);
            int dot = rest.IndexOf('.');
            if (dot > 0 && int.TryParse(rest[..dot], NumberStyles.None, CultureInfo.InvariantCulture, out int layer))
                found.Add(layer);
        }
        if (found.Count == 0)
            return null;
        if (found.Max() != found.Count - 1)
        {
            int missing = Enumerable.Range(0, found.Count).First(layer => !found.Contains(layer));
            throw new CheckpointException(file, $"tensors {prefix}{missing}.*", "layers without a gap", $"none for layer {missing}, but layer {found.Max()}");
        }
        return new SizeEvidence(found.Count, $"{prefix}0 to {found.Count - 1}");
    }
}
