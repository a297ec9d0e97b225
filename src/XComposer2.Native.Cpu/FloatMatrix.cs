using XComposer2.Native.Graph;

namespace XComposer2.Native.Cpu;

/// <summary>A dense row-major matrix of floating numbers in host memory, used as stored. Does not own its bytes.</summary>
/// <param name="Data">First element.</param>
/// <param name="Type">F32, F16 or BF16.</param>
/// <param name="Rows">Rows.</param>
/// <param name="Columns">Columns.</param>
public readonly record struct FloatMatrix(nint Data, DType Type, int Rows, int Columns);

/// <summary>A linear's weight [outputs, inputs] in host memory, used as stored. Does not own its bytes. The parts are those of <see cref="WeightFormat.Parts"/>.</summary>
/// <param name="Format">How it is stored, and which parts there are.</param>
/// <param name="Rows">Outputs.</param>
/// <param name="Columns">Inputs.</param>
/// <param name="Elements">First element.</param>
/// <param name="Scales">First scale; 0 for floating elements.</param>
/// <param name="ZeroPoints">First zero point; 0 where the format has none.</param>
/// <param name="GroupIndex">Group of the first column; 0 where the format has none.</param>
public readonly record struct WeightMatrix(WeightFormat Format, int Rows, int Columns, nint Elements, nint Scales = 0, nint ZeroPoints = 0, nint GroupIndex = 0)
{
    /// <summary>The same weight packed for integer products, which then stands for the parts; null where it is multiplied as floats. Not owned.</summary>
    public PackedIntegers? Integers { get; init; }

    /// <summary>A part's first byte; 0 where it is not there.</summary>
    public nint this[WeightPart part] => part switch
    {
        WeightPart.Elements => Elements,
        WeightPart.Scales => Scales,
        WeightPart.ZeroPoints => ZeroPoints,
        WeightPart.GroupIndex => GroupIndex,
        _ => throw new ArgumentOutOfRangeException(nameof(part), part, "not a part of a weight"),
    };

    /// <summary>A matrix of floating numbers as a weight.</summary>
    /// <exception cref="ArgumentException">Not of a floating type.</exception>
    public static WeightMatrix Of(FloatMatrix matrix) => new(WeightFormat.Of(matrix.Type), matrix.Rows, matrix.Columns, matrix.Data);

    /// <summary>A weight that is packed for integer products.</summary>
    public static WeightMatrix Of(PackedIntegers packed)
    {
        ArgumentNullException.ThrowIfNull(packed);
        return new WeightMatrix(packed.Format, packed.Rows, packed.Inputs, 0) { Integers = packed };
    }

    /// <summary>Refuses a weight that lacks a part, or is not of the expected size.</summary>
    internal void Require(string name, int rows, int columns)
    {
        if (Rows != rows || Columns != columns)
            throw new ArgumentException($"expected [{rows}, {columns}], found [{Rows}, {Columns}]", name);
        if (Integers is { } packed)
        {
            if (packed.Rows != rows || packed.Inputs != columns || packed.Format != Format)
                throw new ArgumentException($"expected {Format} [{rows}, {columns}] packed, found {packed.Format} [{packed.Rows}, {packed.Inputs}]", name);
            return;
        }

        foreach (WeightPartSpec part in Format.Parts(new Shape(rows, columns)))
            if (this[part.Part] == 0 && part.Bytes > 0)
                throw new ArgumentNullException(name, $"{Format}: expected {part.Part} {part.Type} {part.Shape}, found none");
    }
}
