using System.Globalization;

namespace XComposer2.Native.Cli;

/// <summary>Options of a conversation that <c>/set</c> shows and changes.</summary>
internal sealed class ChatSettings(GenerationOptions generation, bool isVerbose)
{
    private const string On = "on", Off = "off";

    /// <summary>All names, in the order of the list.</summary>
    public static IReadOnlyList<string> Names { get; } = ["temperature", "top-p", "top-k", "greedy", "repetition-penalty", "beams", "seed", "max-tokens", "verbose"];

    public GenerationOptions Generation { get; private set; } = generation;

    public bool IsVerbose { get; private set; } = isVerbose;

    /// <summary>Words that a setting takes, for completion.</summary>
    public static IReadOnlyList<string> WordsOf(string name) => name switch
    {
        "greedy" or "verbose" => [On, Off],
        "seed" => ["random"],
        _ => [],
    };

    public string ValueOf(string name) => name switch
    {
        "temperature" => Generation.Temperature.ToString(CultureInfo.InvariantCulture),
        "top-p" => Generation.TopP.ToString(CultureInfo.InvariantCulture),
        "top-k" => Generation.TopK.ToString(CultureInfo.InvariantCulture),
        "greedy" => Generation.Greedy ? On : Off,
        "repetition-penalty" => Generation.RepetitionPenalty.ToString(CultureInfo.InvariantCulture),
        "beams" => Generation.Beams.ToString(CultureInfo.InvariantCulture),
        "seed" => Generation.Seed?.ToString(CultureInfo.InvariantCulture) ?? "random",
        "max-tokens" => Generation.MaxTokens.ToString(CultureInfo.InvariantCulture),
        "verbose" => IsVerbose ? On : Off,
        _ => throw Unknown(name),
    };

    /// <exception cref="UsageException">The name is unknown, or the value is out of range.</exception>
    public void Set(string name, string value)
    {
        switch (name)
        {
            case "temperature":
                float temperature = SamplingValues.Temperature.Parse(name, value);
                Generation = temperature == 0 ? Generation with { Greedy = true } : Generation with { Greedy = false, Temperature = temperature };
                break;
            case "top-p":
                Generation = Generation with { TopP = SamplingValues.TopP.Parse(name, value) };
                break;
            case "top-k":
                Generation = Generation with { TopK = SamplingValues.TopK.Parse(name, value) };
                break;
            case "greedy":
                Generation = Generation with { Greedy = Switch(name, value) };
                break;
            case "repetition-penalty":
                Generation = Generation with { RepetitionPenalty = SamplingValues.RepetitionPenalty.Parse(name, value) };
                break;
            case "beams":
                Generation = Generation with { Beams = BeamOptions.Count.Parse(name, value) };
                break;
            case "seed":
                Generation = Generation with { Seed = value == "random" ? null : SamplingValues.Seed.Parse(name, value) };
                break;
            case "max-tokens":
                Generation = Generation with { MaxTokens = SamplingValues.MaxTokens.Parse(name, value) };
                break;
            case "verbose":
                IsVerbose = Switch(name, value);
                break;
            default:
                throw Unknown(name);
        }
    }

    private static bool Switch(string name, string value) => value switch
    {
        On => true,
        Off => false,
        _ => throw new UsageException($"{name} must be on or off, not '{value}'"),
    };

    private static UsageException Unknown(string name) => new($"there is no setting '{name}'{DidYouMean.Hint(name, Names)}; /set lists them");
}
