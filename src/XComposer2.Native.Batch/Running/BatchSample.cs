using XComposer2.Native.Model;

namespace XComposer2.Native.Batch;

/// <summary>One of many samples: what to ask, or why it cannot be asked.</summary>
/// <typeparam name="TSource">What the sink knows a sample by; small, since it is kept until the result is written.</typeparam>
internal sealed record BatchSample<TSource>
{
    /// <summary>Position in the input, from 0.</summary>
    public required long Number { get; init; }

    /// <summary>Name of the sample in results and messages.</summary>
    public required string Id { get; init; }

    public required TSource Source { get; init; }

    /// <summary>Makes the prompt and opens its pictures, on a thread of the pool, when the sample's turn comes. An <see cref="XComposerException"/>, or an error of
    /// reading, becomes the sample's failure. Never called where there is a <see cref="Failure"/>.</summary>
    public Func<CancellationToken, BatchPrompt> Open { get; init; } = static _ => throw new InvalidOperationException("the sample has no prompt");

    /// <summary>Bytes that <see cref="Open"/> keeps in memory: a picture of an archive, for example. Zero for files.</summary>
    public long HeldBytes { get; init; }

    /// <summary>Sampling and limits. A seed is required where tokens are drawn: a resumed run must give the same answers.</summary>
    public GenerationOptions Options { get; init; } = new() { Greedy = true };

    /// <summary>Ids that end the answer.</summary>
    public IReadOnlyList<int> StopIds { get; init; } = [];

    /// <summary>Why it cannot be asked; null if it can.</summary>
    public SampleFailure? Failure { get; init; }
}

/// <summary>A prompt that is ready to be answered.</summary>
/// <param name="Pieces">Ids, and places of pictures.</param>
/// <param name="Pictures">Pictures, in the order of their places.</param>
internal sealed record BatchPrompt(IReadOnlyList<PromptPiece> Pieces, IReadOnlyList<ImageInput> Pictures)
{
    /// <summary>Why the sample is left out, although it could be asked; null if it is asked.</summary>
    public string? Filtered { get; init; }

    public static BatchPrompt LeftOut(string why) => new([], []) { Filtered = why };
}

/// <summary>What became of a sample: an answer, a failure, or the reason why it was left out; exactly one of them.</summary>
/// <param name="Number">Position in the input, from 0.</param>
/// <param name="Id">Name of the sample.</param>
/// <param name="Source">As the sample has it.</param>
/// <param name="Options">As asked.</param>
internal sealed record BatchResult<TSource>(long Number, string Id, TSource Source, GenerationOptions Options)
{
    public GenerationResult? Answer { get; init; }

    public SampleFailure? Failure { get; init; }

    /// <summary>Why the sample was left out before it was asked.</summary>
    public string? Filtered { get; init; }

    /// <summary>Pictures that were shown to the model.</summary>
    public int Pictures { get; init; }
}

/// <summary>Why a sample has no answer.</summary>
/// <param name="Kind">The cause.</param>
/// <param name="Message">Names file, row and field where they are known.</param>
internal sealed record SampleFailure(FailureKind Kind, string Message)
{
    /// <summary>Name of the cause in files.</summary>
    public string Code => Kind switch
    {
        FailureKind.Input => "invalid_input",
        FailureKind.Picture => "invalid_image",
        FailureKind.Prompt => "invalid_prompt",
        FailureKind.Context => "context_length_exceeded",
        FailureKind.Timeout => "timeout",
        _ => "refused",
    };

    /// <summary>The failure of one sample; null where the failure is not the sample's, and the run cannot go on.</summary>
    public static SampleFailure? Of(Exception error) => error switch
    {
        ImageException => new SampleFailure(FailureKind.Picture, error.Message),
        PromptException => new SampleFailure(FailureKind.Prompt, error.Message),
        ContextFullException => new SampleFailure(FailureKind.Context, error.Message),
        TimeoutException => new SampleFailure(FailureKind.Timeout, error.Message),
        BatchException => new SampleFailure(FailureKind.Input, error.Message),
        // Of the device, where it has a cause.
        EngineException { InnerException: null } => new SampleFailure(FailureKind.Refused, error.Message),
        _ => null,
    };
}

/// <summary>Causes of failures.</summary>
internal enum FailureKind
{
    /// <summary>The row or entry of the input is malformed.</summary>
    Input,

    /// <summary>A picture is missing, damaged, too large, or no picture.</summary>
    Picture,

    /// <summary>The text is empty, or placeholders and pictures differ in number.</summary>
    Prompt,

    /// <summary>The prompt exceeds the context.</summary>
    Context,

    /// <summary>The answer took too long.</summary>
    Timeout,

    /// <summary>The engine refused the request.</summary>
    Refused,
}

/// <summary>An input, a template, a setting or an output of a batch is not usable. The message names the file and what was expected and found.</summary>
internal sealed class BatchException : XComposerException
{
    public BatchException(string message)
        : base(message)
    {
    }

    public BatchException(string message, Exception inner)
        : base(message, inner)
    {
    }
}
