using System.Text.Json;
using XComposer2.Native.Runtime;

namespace XComposer2.Native.UnitTests;

/// <summary>Beam searches of transformers 4.33.2 over toy models (tests/golden/beam): the logits behind a token are a row of one table plus a row of another.</summary>
public sealed class BeamCases
{
    public required Dictionary<string, BeamToy> Models { get; init; }

    public required BeamCase[] Cases { get; init; }

    /// <param name="file">cases.json.</param>
    public static BeamCases Read(string file) => JsonSerializer.Deserialize<BeamCases>(File.ReadAllBytes(file), JsonSerializerOptions.Web)!;
}

/// <summary>A toy model.</summary>
public sealed class BeamToy
{
    public required int Vocab { get; init; }

    public required float[][] Table { get; init; }

    public required float[][] Table2 { get; init; }

    /// <param name="last">Id before.</param>
    /// <param name="step">Tokens generated so far.</param>
    public float[] Logits(int last, int step)
    {
        float[] first = Table[last % Table.Length], second = Table2[step % Table2.Length];
        return [.. first.Zip(second, static (left, right) => left + right)];
    }
}

/// <summary>One search.</summary>
public sealed class BeamCase
{
    public required string Id { get; init; }

    public required string Model { get; init; }

    public required int[] Start { get; init; }

    [System.Text.Json.Serialization.JsonPropertyName("num_beams")]
    public required int Beams { get; init; }

    [System.Text.Json.Serialization.JsonPropertyName("max_new_tokens")]
    public required int MaxTokens { get; init; }

    [System.Text.Json.Serialization.JsonPropertyName("repetition_penalty")]
    public required float RepetitionPenalty { get; init; }

    [System.Text.Json.Serialization.JsonPropertyName("length_penalty")]
    public required float LengthPenalty { get; init; }

    [System.Text.Json.Serialization.JsonPropertyName("early_stopping")]
    public required bool EarlyStopping { get; init; }

    public required int[] Eos { get; init; }

    public required int[] Generated { get; init; }

    public required double Score { get; init; }

    public required int Steps { get; init; }

    [System.Text.Json.Serialization.JsonPropertyName("eos_appended")]
    public required bool EosAppended { get; init; }

    public required BeamCaseHypothesis[] Hyps { get; init; }

    public BeamCaseStep[]? Trace { get; init; }

    /// <summary>Generated ids without the end mark that is appended.</summary>
    public int[] Answer => EosAppended ? Generated[..^1] : Generated;

    internal BeamSettings Settings => new(Beams, LengthPenalty, EarlyStopping, RepetitionPenalty, Start, Eos);
}

/// <summary>A hypothesis that was found.</summary>
public sealed class BeamCaseHypothesis
{
    public required int[] Ids { get; init; }

    public required double Score { get; init; }

    public required bool Final { get; init; }
}

/// <summary>One step: [parent beam, token, score] of the candidates that were looked at and of the beams that go on.</summary>
public sealed class BeamCaseStep
{
    public required double[][] Cand { get; init; }

    public required double[][] Beams { get; init; }

    public required bool Done { get; init; }
}
