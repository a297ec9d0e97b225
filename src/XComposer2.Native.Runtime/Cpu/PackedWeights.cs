using XComposer2.Native.Cpu;
using XComposer2.Native.Graph;

namespace XComposer2.Native.Runtime;

/// <summary>Weights of integers in the processor's own order, each packed when a graph that reads it is bound first and shared by all graphs of a backend. The source is told that
/// it is not needed as stored, so that at most one weight exists in both orders. Owns what it packed.</summary>
internal sealed class PackedWeights(DotInstructions instructions) : IDisposable
{
    private readonly Dictionary<(IWeightSource Source, string Name), PackedIntegers> packed = [];

    /// <summary>Bytes of all packed weights.</summary>
    public long TotalBytes => packed.Values.Sum(weight => weight.TotalBytes);

    /// <summary>Whether weights of a format are packed; a group index may still forbid it.</summary>
    public bool Takes(WeightFormat format) => instructions != DotInstructions.None && PackedIntegers.CanPack(format);

    /// <summary>A weight that was packed before.</summary>
    public bool TryGet(IWeightSource source, string name, out WeightMatrix weight)
    {
        bool found = packed.TryGetValue((source, name), out PackedIntegers? integers);
        weight = found ? WeightMatrix.Of(integers!) : default;
        return found;
    }

    /// <summary>Packs a weight, if its groups allow it.</summary>
    /// <returns>The packed weight, or the weight itself.</returns>
    public WeightMatrix Pack(IWeightSource source, string name, in WeightMatrix weight)
    {
        if (!PackedIntegers.CanPack(weight, instructions))
            return weight;
        PackedIntegers integers = PackedIntegers.Pack(weight, instructions);
        packed.Add((source, name), integers);
        source.Release(name);
        return WeightMatrix.Of(integers);
    }

    public void Dispose()
    {
        foreach (PackedIntegers weight in packed.Values)
            weight.Dispose();
        packed.Clear();
    }
}
