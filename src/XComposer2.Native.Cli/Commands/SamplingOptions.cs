using System.CommandLine;
using System.Globalization;

namespace XComposer2.Native.Cli;

/// <summary>How tokens are chosen: options that chat, compose and edit share.</summary>
internal sealed class SamplingOptions
{
    private readonly Option<bool> greedy = CheckedOption.Flag("--greedy");
    private readonly Option<float?> temperature = CheckedOption.Of("--temperature", SamplingValues.Temperature, "-t");
    private readonly Option<float?> topP = CheckedOption.Of("--top-p", SamplingValues.TopP);
    private readonly Option<int?> topK = CheckedOption.Of("--top-k", SamplingValues.TopK);
    private readonly Option<float?> penalty = CheckedOption.Of("--repetition-penalty", SamplingValues.RepetitionPenalty);
    private readonly Option<ulong?> seed = CheckedOption.Of("--seed", SamplingValues.Seed);

    public void AddTo(Command command)
    {
        foreach (Option option in new Option[] { greedy, temperature, topP, topK, penalty, seed })
            command.Add(option);
    }

    public ulong? Seed(ParseResult result) => result.GetValue(seed);

    /// <exception cref="UsageException">Two options contradict each other.</exception>
    public GenerationOptions Read(ParseResult result, GenerationOptions defaults)
    {
        RequireAgreement(result);
        float? heat = result.GetValue(temperature);
        return defaults with
        {
            Greedy = result.GetValue(greedy) || heat == 0,
            Temperature = heat is > 0 ? heat.Value : defaults.Temperature,
            TopP = result.GetValue(topP) ?? defaults.TopP,
            TopK = result.GetValue(topK) ?? defaults.TopK,
            RepetitionPenalty = result.GetValue(penalty) ?? defaults.RepetitionPenalty,
            Seed = result.GetValue(seed),
        };
    }

    /// <summary>Values that restrict nothing agree with greedy choice, and so does the most likely token alone.</summary>
    private void RequireAgreement(ParseResult result)
    {
        bool isFlagged = result.GetValue(greedy);
        float? heat = result.GetValue(temperature), mass = result.GetValue(topP);
        int? count = result.GetValue(topK);
        if (!isFlagged && heat != 0)
            return;
        string which = isFlagged ? "--greedy" : "--temperature 0";
        string? other = heat is > 0 ? string.Create(CultureInfo.InvariantCulture, $"--temperature {heat}")
            : mass is not (null or 1) ? string.Create(CultureInfo.InvariantCulture, $"--top-p {mass}")
            : count is not (null or 0 or 1) ? string.Create(CultureInfo.InvariantCulture, $"--top-k {count}")
            : null;
        if (other is not null)
            throw new UsageException($"{which} takes the most likely token every time, {other} contradicts it");
    }
}

/// <summary>Ranges of sampling values, on the command line and in a conversation.</summary>
internal static class SamplingValues
{
    /// <summary>Readers of JSON in other languages hold numbers as doubles, which are exact up to here.</summary>
    private const ulong MaximumSeed = (1UL << 53) - 1;

    /// <summary>0 means greedy.</summary>
    public static CheckedValue<float?> Temperature { get; } = new("a number, 0 (greedy) or more", static text => Number(text) is >= 0 and var value ? value : null);

    public static CheckedValue<float?> TopP { get; } = CheckedValues.Positive(1);

    public static CheckedValue<int?> TopK { get; } = CheckedValues.Integer(0);

    public static CheckedValue<float?> RepetitionPenalty { get; } = CheckedValues.Positive();

    public static CheckedValue<int?> MaxTokens { get; } = CheckedValues.Integer(1);

    public static CheckedValue<ulong?> Seed { get; } = new($"an integer, 0 to {MaximumSeed}", static text =>
        ulong.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out ulong value) && value <= MaximumSeed ? value : null);

    private static float? Number(string text) => float.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out float value) && float.IsFinite(value) ? value : null;
}
