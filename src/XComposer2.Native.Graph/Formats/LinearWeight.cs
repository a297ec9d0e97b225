using System.Collections.Immutable;

namespace XComposer2.Native.Graph;

/// <summary>The weight matrix [out, in] of a linear: its format, and the format's parts as tensors of the graph (<see cref="WeightFormat.Parts"/>).</summary>
/// <param name="Format">States which parts there are.</param>
/// <param name="Elements">[out, in].</param>
/// <param name="Scales">[out] or [out, groups]; null for floating elements.</param>
/// <param name="ZeroPoints">[out, groups]; null where the format has none.</param>
/// <param name="GroupIndex">[in]; null where the format has none.</param>
public sealed record LinearWeight(WeightFormat Format, Tensor Elements, Tensor? Scales = null, Tensor? ZeroPoints = null, Tensor? GroupIndex = null)
{
    /// <summary>The tensors that there are, elements first.</summary>
    public ImmutableArray<Tensor> Parts
    {
        get
        {
            var parts = ImmutableArray.CreateBuilder<Tensor>();
            AddParts(parts);
            return parts.ToImmutable();
        }
    }

    /// <summary>A part; null where it is not there.</summary>
    public Tensor? this[WeightPart part] => part switch
    {
        WeightPart.Elements => Elements,
        WeightPart.Scales => Scales,
        WeightPart.ZeroPoints => ZeroPoints,
        WeightPart.GroupIndex => GroupIndex,
        _ => throw new ArgumentOutOfRangeException(nameof(part), part, "not a part of a weight"),
    };

    internal LinearWeight Rename(Func<Tensor, Tensor> input) => this with
    {
        Elements = input(Elements),
        Scales = Scales is { } scales ? input(scales) : null,
        ZeroPoints = ZeroPoints is { } zeros ? input(zeros) : null,
        GroupIndex = GroupIndex is { } index ? input(index) : null,
    };

    internal void AddParts(ImmutableArray<Tensor>.Builder list)
    {
        list.Add(Elements);
        if (Scales is { } scales)
            list.Add(scales);
        if (ZeroPoints is { } zeros)
            list.Add(zeros);
        if (GroupIndex is { } index)
            list.Add(index);
    }
}
