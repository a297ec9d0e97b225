using XComposer2.Native.Runtime;

namespace XComposer2.Native;

/// <summary>What the scheduler asks of a model: steps of its sequences, and choices of their tokens. Not thread-safe.</summary>
internal interface IStepRunner
{
    /// <summary>Pages of the cache.</summary>
    KeyValuePool Pool { get; }

    /// <summary>Entries of a sequence's page table.</summary>
    int PagesPerSequence { get; }

    /// <inheritdoc cref="IBackend.RunsAhead"/>
    bool RunsAhead { get; }

    /// <summary>Starts an answer in a slot.</summary>
    void Begin(int slot, in SamplingRequest request);

    /// <summary>The picture's rows are where prompts read them.</summary>
    bool HasRows(PreparedPicture picture);

    /// <summary>Runs the vision tower on a picture that has no rows.</summary>
    /// <exception cref="OperationCanceledException">It has none still.</exception>
    void Encode(PreparedPicture picture, CancellationToken cancellation);

    /// <summary>Keeps a picture's rows until they are unpinned.</summary>
    void Pin(PreparedPicture picture);

    /// <summary>Undoes one <see cref="Pin"/>.</summary>
    void Unpin(PreparedPicture picture);

    /// <summary>Runs positions behind a sequence, whose pages are reserved and whose length stays; their pictures have rows.</summary>
    /// <param name="sequence">Of <see cref="Pool"/>.</param>
    /// <param name="positions">At most as many as a step holds.</param>
    /// <param name="choice">What is wanted of the logits behind the last one; null where the prompt goes on.</param>
    /// <param name="cancellation">Looked at between operations.</param>
    void Read(KeyValueSequence sequence, ReadOnlySpan<PromptPosition> positions, RowChoice? choice, CancellationToken cancellation);

    /// <summary>Runs the token of each row behind its sequence, whose page is reserved and whose length stays, and chooses the next ones.</summary>
    void Step(ReadOnlySpan<StepRow> rows, CancellationToken cancellation);

    /// <summary>The oldest choices that were not taken yet, in the order of their rows; waits for them. Valid until the next call.</summary>
    ReadOnlySpan<TokenChoice> Take();

    /// <summary>Forgets all choices that were not taken, after a failure; every slot must begin anew.</summary>
    void DropChoices();
}

/// <summary>What is wanted of a row of logits.</summary>
/// <param name="Slot">Of the sampler that chooses a token; negative where none is chosen.</param>
/// <param name="Ranking">The likeliest tokens, in place of a choice; null for a choice.</param>
internal readonly record struct RowChoice(int Slot, TokenRanking? Ranking = null);

/// <summary>A row of a decode step.</summary>
/// <param name="Sequence">Whose next position it is.</param>
/// <param name="Choice">What is wanted of its logits.</param>
/// <param name="Id">Its token; null for what the slot chose last.</param>
internal readonly record struct StepRow(KeyValueSequence Sequence, RowChoice Choice, int? Id = null);
