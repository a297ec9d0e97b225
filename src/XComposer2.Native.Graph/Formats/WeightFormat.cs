using System.Collections.Immutable;
using System.Globalization;

namespace XComposer2.Native.Graph;

/// <summary>
/// How a weight matrix [out, in] is stored: the type of its elements, and what turns integers into weights. An element q of row r and column c stands for
/// (q - zero[r, g]) · scale[r, g], where g is the group of the column: c / <see cref="GroupSize"/>, or index[c] where there is a group index.
/// Formats are the constants and methods below; equal formats are equal values.
/// </summary>
public readonly record struct WeightFormat
{
    private WeightFormat(DType elements, DType scaleType, int groupSize, bool hasGroupIndex)
    {
        Elements = elements;
        ScaleType = scaleType;
        GroupSize = groupSize;
        HasGroupIndex = hasGroupIndex;
    }

    /// <summary>Floating numbers as they are.</summary>
    public static WeightFormat F32 => Of(DType.F32);

    /// <inheritdoc cref="F32"/>
    public static WeightFormat F16 => Of(DType.F16);

    /// <inheritdoc cref="F32"/>
    public static WeightFormat BF16 => Of(DType.BF16);

    /// <summary>Integers of -127 to 127 and one F32 scale a row, which multiplies the row's finished product.</summary>
    public static WeightFormat Int8 => new(DType.I8, DType.F32, 0, false);

    /// <summary>Type of the elements.</summary>
    public DType Elements { get; }

    /// <summary>Type of the scales; without meaning for floating elements.</summary>
    public DType ScaleType { get; }

    /// <summary>Columns that share a scale; 0 where a row has one scale, or none.</summary>
    public int GroupSize { get; }

    /// <summary>The group of a column is looked up and not counted (GPTQ's act-order).</summary>
    public bool HasGroupIndex { get; }

    /// <summary>There is nothing but the elements.</summary>
    public bool IsFloat => Elements.IsFloat();

    /// <summary>One scale multiplies a whole row.</summary>
    public bool HasRowScales => !IsFloat && GroupSize == 0;

    /// <summary>Elements are unsigned, and each group has a number that stands for zero.</summary>
    public bool HasZeroPoints => Elements.IsUnsigned();

    /// <summary>Floating numbers of this type.</summary>
    /// <exception cref="ArgumentException">Not a floating type.</exception>
    public static WeightFormat Of(DType type) => type.IsFloat()
        ? new WeightFormat(type, DType.F32, 0, false)
        : throw new ArgumentException($"expected a floating type, found {type}", nameof(type));

    /// <summary>Integers with an F16 scale, and perhaps a zero point, for every <paramref name="groupSize"/> columns of a row.</summary>
    /// <param name="bits">4 or 8.</param>
    /// <param name="groupSize">Columns, a multiple of 8.</param>
    /// <param name="hasZeroPoints">Unsigned integers with zero points, not signed ones.</param>
    /// <param name="hasGroupIndex">Columns name their groups.</param>
    /// <exception cref="ArgumentException">The message names the parameter.</exception>
    public static WeightFormat Grouped(int bits, int groupSize, bool hasZeroPoints = false, bool hasGroupIndex = false)
    {
        DType elements = (bits, hasZeroPoints) switch
        {
            (4, false) => DType.I4,
            (4, true) => DType.U4,
            (8, false) => DType.I8,
            (8, true) => DType.U8,
            _ => throw new ArgumentException($"expected 4 or 8 bits, found {bits}", nameof(bits)),
        };
        return groupSize > 0 && groupSize % 8 == 0
            ? new WeightFormat(elements, DType.F16, groupSize, hasGroupIndex)
            : throw new ArgumentException($"expected groups of a multiple of 8 columns, found {groupSize}", nameof(groupSize));
    }

    /// <summary>Name of a part of a weight: the weight's own for the elements, NAME.scale, NAME.zero, NAME.group.</summary>
    public static string NameOf(string weight, WeightPart part) => part switch
    {
        WeightPart.Elements => weight,
        WeightPart.Scales => weight + ".scale",
        WeightPart.ZeroPoints => weight + ".zero",
        WeightPart.GroupIndex => weight + ".group",
        _ => throw new ArgumentOutOfRangeException(nameof(part), part, "not a part of a weight"),
    };

    /// <summary>The weight and the part that a name is of.</summary>
    public static (string Weight, WeightPart Part) Parse(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        foreach (WeightPart part in (ReadOnlySpan<WeightPart>)[WeightPart.Scales, WeightPart.ZeroPoints, WeightPart.GroupIndex])
        {
            string suffix = NameOf("", part);
            if (name.EndsWith(suffix, StringComparison.Ordinal))
                return (name[..^suffix.Length], part);
        }


        return (name, WeightPart.Elements);
    }

    /// <summary>Whether weights of this format have such a part.</summary>
    public bool Has(WeightPart part) => part switch
    {
        WeightPart.Elements => true,
        WeightPart.Scales => !IsFloat,
        WeightPart.ZeroPoints => HasZeroPoints,
        WeightPart.GroupIndex => HasGroupIndex,
        _ => false,
    };

    /// <summary>Scales of one row.</summary>
    public int Groups(int columns) => IsFloat ? 0 : GroupSize == 0 ? 1 : (int)(((long)columns + GroupSize - 1) / GroupSize);

    /// <summary>Every part of a weight of this shape, elements first.</summary>
    /// <param name="shape">[out, in]; of any rank where the elements are floating numbers.</param>
    /// <exception cref="ArgumentException">Integers have no such shape: rows are no whole bytes, or it is no matrix.</exception>
    public ImmutableArray<WeightPartSpec> Parts(Shape shape)
    {
        var elements = new WeightPartSpec(WeightPart.Elements, Elements, shape);
        if (IsFloat)
            return [elements];
        if (shape.Rank != 2)
            throw new ArgumentException($"{this}: expected a matrix, found {shape}", nameof(shape));
        (int rows, int columns) = (shape[0], shape[1]);
        if ((long)columns * Elements.ElementBits() % 8 != 0)
            throw new ArgumentException($"{this}: expected rows of whole bytes, found {columns} elements of {Elements.ElementBits()} bits", nameof(shape));
        int groups = Groups(columns);
        var parts = ImmutableArray.CreateBuilder<WeightPartSpec>();
        parts.Add(elements);
        parts.Add(new WeightPartSpec(WeightPart.Scales, ScaleType, HasRowScales ? new Shape(rows) : new Shape(rows, groups)));
        if (HasZeroPoints)
            parts.Add(new WeightPartSpec(WeightPart.ZeroPoints, DType.U8, new Shape(rows, groups)));
        if (HasGroupIndex)
            parts.Add(new WeightPartSpec(WeightPart.GroupIndex, DType.I32, new Shape(columns)));
        return parts.ToImmutable();
    }

    /// <summary>Bytes of all parts of a weight of this shape.</summary>
    /// <exception cref="ArgumentException">As <see cref="Parts"/>.</exception>
    public long Bytes(Shape shape) => Parts(shape).Sum(part => part.Bytes);

    /// <summary>For people, for example <c>bf16</c>, <c>int8</c>, <c>int4 by 128 with zero points and group index</c>.</summary>
    public override string ToString()
    {
        if (IsFloat)
            return Elements.ToString().ToLowerInvariant();
        string text = string.Create(CultureInfo.InvariantCulture, $"int{Elements.ElementBits()}{(GroupSize == 0 ? "" : $" by {GroupSize}")}");
        return (HasZeroPoints, HasGroupIndex) switch
        {
            (true, true) => text + " with zero points and group index",
            (true, false) => text + " with zero points",
            (false, true) => text + " with group index",
            _ => text,
        };
    }
}

/// <summary>What a stored weight consists of.</summary>
public enum WeightPart : byte
{
    /// <summary>[out, in].</summary>
    Elements,

    /// <summary>[out], or [out, groups].</summary>
    Scales,

    /// <summary>U8 [out, groups].</summary>
    ZeroPoints,

    /// <summary>I32 [in]: the group of each column.</summary>
    GroupIndex,
}

/// <summary>Type and shape of one part of a weight.</summary>
public sealed record WeightPartSpec(WeightPart Part, DType Type, Shape Shape)
{
    public long Bytes => Type.Bytes(Shape.ElementCount);
}
