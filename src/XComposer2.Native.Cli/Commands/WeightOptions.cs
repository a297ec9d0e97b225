using System.CommandLine;
using XComposer2.Native.Graph;
using XComposer2.Native.Model;

namespace XComposer2.Native.Cli;

/// <summary>The options that say which weights are quantised while loading, and in which format.</summary>
/// <param name="hasTypes">A preset may stand for the model: <c>--weights</c> may be the type of its random weights.</param>
internal sealed class WeightOptions(bool hasTypes = false)
{
    private static readonly (string Word, LinearsChoice Value)[] quantized =
    [
        ("stored", LinearsChoice.Stored), ("int8", LinearsChoice.Int8), ("int4", LinearsChoice.Int4),
    ];

    private static readonly (string Word, LinearsChoice Value)[] types = [("bf16", LinearsChoice.BF16), ("f16", LinearsChoice.F16), ("f32", LinearsChoice.F32)];

    private static readonly (string Word, PartChoice Value)[] parts = [("stored", PartChoice.Stored), ("int8", PartChoice.Int8)];

    private readonly Option<LinearsChoice?> linears = CheckedOption.Choice("--weights", hasTypes ? [.. quantized, .. types] : quantized);
    private readonly Option<int?> group = CheckedOption.Choice("--group", ("32", 32), ("64", 64), ("128", 128));
    private readonly Option<PartChoice?> head = CheckedOption.Choice("--head", [.. parts, ("int4", PartChoice.Int4)]);
    private readonly Option<PartChoice?> plora = Part("--plora");
    private readonly Option<PartChoice?> vision = Part("--vision");
    private readonly Option<PartChoice?> table = Part("--embedding-weights");

    private enum LinearsChoice
    {
        Stored,
        Int8,
        Int4,
        BF16,
        F16,
        F32,
    }

    private enum PartChoice
    {
        Stored,
        Int8,
        Int4,
    }

    public void AddTo(Command command)
    {
        foreach (Option option in new Option[] { linears, group, head, plora, vision, table })
            command.Add(option);
    }

    /// <summary>The format of the linears was chosen.</summary>
    public bool IsChosen(ParseResult result)
    {
        ArgumentNullException.ThrowIfNull(result);
        return result.GetValue(linears) is not null;
    }

    /// <exception cref="UsageException">Groups of weights that are not quantised.</exception>
    public WeightChoice Read(ParseResult result)
    {
        ArgumentNullException.ThrowIfNull(result);
        LinearsChoice choice = result.GetValue(linears) ?? LinearsChoice.Stored;
        int? size = result.GetValue(group);
        if (size is not null && choice is not (LinearsChoice.Int8 or LinearsChoice.Int4) && result.GetValue(head) != PartChoice.Int4)
            throw new UsageException("--group is for --weights int8 or int4, and for --head int4");
        WeightFormat? format = choice switch
        {
            LinearsChoice.Int8 => size is { } columns ? WeightFormat.Grouped(8, columns) : WeightFormat.Int8,
            LinearsChoice.Int4 => WeightFormat.Grouped(4, size ?? WeightQuantization.DefaultGroupSize),
            _ => null,
        };
        DType? type = choice switch
        {
            LinearsChoice.BF16 => DType.BF16,
            LinearsChoice.F16 => DType.F16,
            LinearsChoice.F32 => DType.F32,
            _ => null,
        };
        // 4 bits are asked for where memory is short.
        PartChoice rest = choice == LinearsChoice.Int4 ? PartChoice.Int8 : PartChoice.Stored;
        return new WeightChoice(type, new WeightQuantization
        {
            Linears = format,
            Head = result.GetValue(head) == PartChoice.Int4 ? WeightFormat.Grouped(4, size ?? WeightQuantization.DefaultGroupSize) : FormatOf(result.GetValue(head) ?? rest),
            PartialLora = FormatOf(result.GetValue(plora) ?? rest),
            Vision = FormatOf(result.GetValue(vision) ?? rest),
            Embeddings = FormatOf(result.GetValue(table) ?? rest),
        });
    }

    private static Option<PartChoice?> Part(string name) => CheckedOption.Choice(name, parts);

    private static WeightFormat? FormatOf(PartChoice choice) => choice == PartChoice.Int8 ? WeightFormat.Int8 : null;
}

/// <summary>What the options say about weights.</summary>
/// <param name="Type">Of a preset's random weights; null where it is not said.</param>
/// <param name="Quantization">What is quantised while loading.</param>
internal readonly record struct WeightChoice(DType? Type, WeightQuantization Quantization)
{
    /// <exception cref="UsageException">A checkpoint is meant, whose weights have the type that they have.</exception>
    public void RequireFit(string? checkpointPath)
    {
        if (checkpointPath is not null && Type is { } type)
            throw new UsageException($"--weights {type.ToString().ToLowerInvariant()} is for a preset; a checkpoint's weights are stored, int8 or int4");
    }
}
