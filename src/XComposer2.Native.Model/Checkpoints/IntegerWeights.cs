using System.Collections.Immutable;
using XComposer2.Native.Graph;

namespace XComposer2.Native.Model;

/// <summary>A checkpoint with weights of integers as <see cref="IntegerManifest"/> says: their parts are used where they lie, under the names of
/// <see cref="WeightFormat.NameOf"/>; all other tensors are as stored. A file has no type of four bits: two elements are one U8.</summary>
internal sealed class IntegerWeights : IWeightSource
{
    private readonly TensorSet source;
    private readonly Dictionary<string, WeightPartSpec> parts = new(StringComparer.Ordinal);
    private readonly IntegerManifest manifest;

    /// <summary>Takes ownership of <paramref name="source"/>.</summary>
    /// <exception cref="CheckpointException">A part is missing, or not as the manifest says.</exception>
    public IntegerWeights(TensorSet source, IntegerManifest manifest, string directory)
    {
        this.source = source;
        this.manifest = manifest;
        Dictionary<string, CheckpointTensor> stored = source.Tensors.ToDictionary(tensor => tensor.Name);
        List<CheckpointTensor> tensors = [];
        foreach ((string name, IntegerWeight weight) in manifest.Weights)
        {
            long bytes = 0;
            string file = directory;
            foreach (WeightPartSpec part in PartsOf(weight, name, directory))
            {
                string partName = WeightFormat.NameOf(name, part.Part);
                (DType type, Shape shape) = Stored(part);
                if (!stored.Remove(partName, out CheckpointTensor? found))
                    throw new CheckpointException(directory, $"tensor {CheckpointException.Show(partName)}", $"{type} {shape}, as {IntegerManifest.FileName} says", "no such tensor");
                if (found.Type != type || found.Shape != shape)
                    throw new CheckpointException(found.File, $"tensor {CheckpointException.Show(partName)}", $"{type} {shape}, as {IntegerManifest.FileName} says", $"{found.TypeName} {found.Shape}");
                parts.Add(partName, part);
                bytes += found.Bytes;
                file = found.File;
            }

            tensors.Add(new CheckpointTensor(name, weight.Format.Elements.ToString(), weight.Format.Elements, weight.Shape, bytes, file) { Format = weight.Format });
        }

        Tensors = [.. tensors, .. stored.Values];
    }

    /// <summary>Plain names; a weight of integers has the bytes of all its parts.</summary>
    public IReadOnlyList<CheckpointTensor> Tensors { get; }

    /// <summary>Formats in words, for example "int4 by 128 and int8".</summary>
    public string Formats => string.Join(" and ", manifest.Weights.Values.Select(weight => weight.Format.ToString()).Distinct().Order(StringComparer.Ordinal));

    public bool TryGet(string name, out HostTensor tensor)
    {
        bool found = source.TryGet(name, out tensor);
        if (found && parts.TryGetValue(name, out WeightPartSpec? part))
            tensor = new HostTensor(tensor.Data, part.Type, part.Shape);
        return found;
    }

    public bool TryDescribe(string name, out HostTensor facts)
    {
        bool found = source.TryDescribe(name, out facts);
        if (found && parts.TryGetValue(name, out WeightPartSpec? part))
            facts = new HostTensor(0, part.Type, part.Shape);
        return found;
    }

    public bool TryGetFormat(string name, out WeightFormat format)
    {
        if (manifest.Weights.TryGetValue(name, out IntegerWeight weight))
        {
            format = weight.Format;
            return true;
        }

        bool isFloat = source.TryDescribe(name, out HostTensor facts) && facts.Type.IsFloat();
        format = isFloat ? WeightFormat.Of(facts.Type) : default;
        return isFloat;
    }

    /// <summary>The stored numbers that decide whether a weight is finite: the scales of integers, otherwise the tensor itself.</summary>
    public bool TryGetStoredNumbers(string name, out HostTensor tensor) =>
        source.TryGet(manifest.Weights.ContainsKey(name) ? WeightFormat.NameOf(name, WeightPart.Scales) : name, out tensor);

    public long AllocatedBytes(string name) => source.AllocatedBytes(name);

    public long HeldBytes => source.HeldBytes;

    public void RequireIntact() => source.RequireIntact();

    public void Release(string name) => source.Release(name);

    public void Dispose() => source.Dispose();

    /// <summary>Type and shape of a part in a file.</summary>
    internal static (DType Type, Shape Shape) Stored(WeightPartSpec part) => part.Type is DType.I4 or DType.U4
        ? (DType.U8, new Shape(part.Shape[0], part.Shape[1] / 2))
        : (part.Type, part.Shape);

    private static ImmutableArray<WeightPartSpec> PartsOf(IntegerWeight weight, string name, string directory)
    {
        try
        {
            return weight.Format.Parts(weight.Shape);
        }
        catch (ArgumentException refused)
        {
            throw new CheckpointException(Path.Combine(directory, IntegerManifest.FileName), $"weights.{name}", "a shape that the format can have", refused.Message, refused);
        }
    }
}
