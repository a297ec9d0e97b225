using XComposer2.Native.Graph;

namespace XComposer2.Native.Runtime;

/// <summary>
/// Chooses tokens of several answers from logits where they lie, on the backend's device: one launch for all rows of a step, each with its own options.
/// An answer has a slot, which holds what its choices depend on. To choose and to hear what was chosen are two calls, so that a device can be given the
/// step after (<see cref="IBoundGraph.Feed"/>) before the host knows its tokens. Not thread-safe.
/// </summary>
public interface ITokenSampler : IDisposable
{
    /// <summary>Choices that may be under way: those of a decode step and of a prompt that is complete, for the step that is queued and the one before.</summary>
    const int MaximumPending = 4;

    /// <summary>Answers that have a place.</summary>
    int Slots { get; }

    /// <summary>Starts an answer in a slot; what was there before is forgotten. Choices under way stay as they are.</summary>
    /// <exception cref="ArgumentOutOfRangeException">There is no such slot, or an option is out of its range.</exception>
    void Begin(int slot, in SamplingRequest request);

    /// <summary>Queues the choice of one id for each row, from the logits of the last run, and remembers it for the repetition penalty.</summary>
    /// <param name="graph">Of the same backend.</param>
    /// <param name="logits">An output [rows, vocabulary]; the rows may be overwritten.</param>
    /// <param name="rows">Each with a slot of its own, which has begun where the row is not ranked.</param>
    /// <exception cref="InvalidOperationException"><see cref="MaximumPending"/> choices are not taken yet.</exception>
    void Choose(IBoundGraph graph, Tensor logits, ReadOnlySpan<SampleRow> rows);

    /// <summary>The oldest choice that was not taken yet, in the order of its rows; waits for it. Valid until the next call.</summary>
    /// <exception cref="InvalidOperationException">Nothing was chosen.</exception>
    ReadOnlySpan<TokenChoice> Take();
}

/// <summary>How the tokens of one answer are chosen.</summary>
public readonly record struct SamplingRequest
{
    /// <summary>Alternatives that may be asked for.</summary>
    public const int MaximumTopLogProbs = 20;

    /// <summary>Penalty, temperature, top-k and top-p, or greedy.</summary>
    public required SamplingParameters Parameters { get; init; }

    /// <summary>The same seed gives the same ids on the same device.</summary>
    public ulong Seed { get; init; }

    /// <summary>Tokens of the answer before the first one that is chosen here: 0, or where an answer goes on.</summary>
    public long Step { get; init; }

    /// <summary>Ids that the repetition penalty applies to from the start; usually none.</summary>
    public ReadOnlyMemory<int> SeenIds { get; init; }

    /// <summary>Wants the log-probability of each chosen id.</summary>
    public bool LogProbs { get; init; }

    /// <summary>Wants so many of the likeliest ids with their log-probabilities; 0 for none, which costs nothing.</summary>
    public int TopLogProbs { get; init; }

    /// <summary>Added to the logits of ids, each at most once.</summary>
    public ReadOnlyMemory<TokenBias> Biases { get; init; }

    /// <summary>Subtracted from the logit of an id once for each of its occurrences in the answer.</summary>
    public float FrequencyPenalty { get; init; }

    /// <summary>Subtracted from the logit of each id that occurs in the answer.</summary>
    public float PresencePenalty { get; init; }

    /// <summary>Which tokens are possible; null for all. Used by one answer alone. A device with a run ahead may ask once more after the last token.</summary>
    public ITokenConstraint? Constraint { get; init; }

    /// <summary>Logits are changed by more than the repetition penalty.</summary>
    public bool AdjustsLogits => !Biases.IsEmpty || FrequencyPenalty != 0 || PresencePenalty != 0 || Constraint is not null;

    /// <exception cref="ArgumentException">An option is out of its range.</exception>
    internal void Require(int vocabularySize)
    {
        TokenSampler.RequireInRange(Parameters);
        ArgumentOutOfRangeException.ThrowIfNegative(Step);
        ArgumentOutOfRangeException.ThrowIfNegative(TopLogProbs);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(TopLogProbs, Math.Min(MaximumTopLogProbs, vocabularySize));
        foreach (int id in SeenIds.Span)
            if ((uint)id >= (uint)vocabularySize)
                throw new ArgumentException($"seen ids: expected ids below {vocabularySize}, found {id}");
        foreach (TokenBias bias in Biases.Span)
            if ((uint)bias.Id >= (uint)vocabularySize || !float.IsFinite(bias.Bias))
                throw new ArgumentException($"biases: expected finite ones of ids below {vocabularySize}, found {bias}");
        if (!float.IsFinite(FrequencyPenalty) || !float.IsFinite(PresencePenalty))
            throw new ArgumentException($"frequency and presence penalty: expected finite numbers, found {FrequencyPenalty} and {PresencePenalty}");
    }
}

/// <summary>Which tokens are possible in one answer, step by step. Not thread-safe.</summary>
public interface ITokenConstraint
{
    /// <summary>A bit for each token that may come next [vocabulary / 32, rounded up]; at least one is set.</summary>
    /// <exception cref="InvalidOperationException">It cannot be told.</exception>
    ReadOnlySpan<uint> Allowed { get; }

    /// <summary>The token was chosen.</summary>
    /// <exception cref="InvalidOperationException">It was not allowed.</exception>
    void Accept(int id);
}

/// <summary>A row of logits, and the slot whose answer it continues.</summary>
/// <param name="Row">Of the logits.</param>
/// <param name="Slot">A ranked row needs none that has begun.</param>
/// <param name="Ranking">What is wanted in place of a choice; null for a choice.</param>
public readonly record struct SampleRow(int Row, int Slot, TokenRanking? Ranking = null);

/// <summary>What was chosen for a row, or how its ids rank.</summary>
/// <param name="Id">The chosen id, or the first of the ranked ones; 0 after a failure.</param>
/// <param name="Failure">What is wrong with the row's logits (one is NaN, or all are -infinity), in words; null where nothing is.</param>
/// <param name="LogProb">Of the chosen id in the distribution that the model gives, before penalty, temperature, top-k and top-p; 0 where it was not asked for.</param>
/// <param name="Top">The likeliest ids of the same distribution, likeliest first, of equal ones the lower id; empty where none were asked for. Of a ranked row
/// the ids that its <see cref="TokenRanking"/> asks for, with their penalised log-probabilities.</param>
public readonly record struct TokenChoice(int Id, string? Failure, float LogProb, ReadOnlyMemory<TokenLogProb> Top);

/// <summary>An id and the logarithm of its probability.</summary>
public readonly record struct TokenLogProb(int Id, float LogProb);

/// <summary>How the next token is chosen from the logits.</summary>
/// <param name="Greedy">The most likely token; only the repetition penalty applies.</param>
/// <param name="Temperature">Over 0.</param>
/// <param name="TopK">0 keeps all.</param>
/// <param name="TopP">Over 0, at most 1.</param>
/// <param name="RepetitionPenalty">Over 0; 1 is none.</param>
public readonly record struct SamplingParameters(bool Greedy, float Temperature, int TopK, float TopP, float RepetitionPenalty);
