using System.CommandLine;

namespace XComposer2.Native.Cli;

/// <summary>Beam search: options of commands that answer.</summary>
internal sealed class BeamOptions
{
    public const string HelpLines = """
          --beams N                the most likely of N texts that are searched at once,
                                   2 to 8; nothing is drawn (1)
          --length-penalty P       with beams: over 0 favours long answers (1)
          --early-stopping         with beams: ends with the first N complete texts
        """;

    /// <summary>Beams of an answer.</summary>
    public static CheckedValue<int?> Count { get; } = CheckedValues.Integer(1, BeamSettings.MaximumBeams);

    private static readonly CheckedValue<float?> lengths = new("a number, -10 to 10", static text =>
        float.TryParse(text, System.Globalization.NumberStyles.Float, System.Globalization.CultureInfo.InvariantCulture, out float value) && Math.Abs(value) <= 10 ? value : null);

    private readonly Option<int?> beams = CheckedOption.Of("--beams", Count);
    private readonly Option<float?> lengthPenalty = CheckedOption.Of("--length-penalty", lengths);
    private readonly Option<bool> earlyStopping = CheckedOption.Flag("--early-stopping");

    public void AddTo(Command command)
    {
        foreach (Option option in new Option[] { beams, lengthPenalty, earlyStopping })
            command.Add(option);
    }

    /// <exception cref="UsageException">Two options contradict each other.</exception>
    public GenerationOptions Read(ParseResult result, GenerationOptions options)
    {
        int count = result.GetValue(beams) ?? options.Beams;
        float? penalty = result.GetValue(lengthPenalty);
        bool isEarly = result.GetValue(earlyStopping);
        if (count == 1 && (penalty is not null || isEarly))
            throw new UsageException($"{(isEarly ? "--early-stopping" : "--length-penalty")} needs --beams 2 or more");
        if (count > 1 && options.RepetitionPenalty < 1)
            throw new UsageException("--repetition-penalty must be 1 or more with --beams");
        return options with { Beams = count, LengthPenalty = penalty ?? options.LengthPenalty, EarlyStopping = isEarly };
    }
}
