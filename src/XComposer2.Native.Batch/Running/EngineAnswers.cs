using System.Threading.Channels;
using XComposer2.Native.Model;

namespace XComposer2.Native.Batch;

/// <summary>Answers prompts, several at once.</summary>
internal interface IAnswerSource
{
    /// <exception cref="XComposerException">The prompt or a picture is refused, or the device failed.</exception>
    /// <exception cref="TimeoutException">The answer took too long.</exception>
    Task<GenerationResult> AnswerAsync(BatchPrompt prompt, IReadOnlyList<int> stopIds, GenerationOptions options, CancellationToken cancellation);
}

/// <summary>Answers of an engine. Pictures are decoded on threads of the pool, outside of the engine's thread.</summary>
/// <param name="engine">Not owned.</param>
internal sealed class EngineAnswers(XComposerEngine engine) : IAnswerSource
{
    /// <summary>The model's own template, and the ids that end an answer.</summary>
    /// <param name="style">Name of a prompt style; null for the model's own.</param>
    /// <exception cref="PromptException">The prompt style is unknown.</exception>
    public ChatTemplate Template(string? style = null) => engine.TemplateOf(style);

    public async Task<GenerationResult> AnswerAsync(BatchPrompt prompt, IReadOnlyList<int> stopIds, GenerationOptions options, CancellationToken cancellation)
    {
        var asked = new Conversation(prompt.Pieces, [], prompt.Pictures);
        PendingAnswer pending = await engine.Answers.SubmitAsync(asked, stopIds, options, NoEvents.Instance, cancellation).ConfigureAwait(false);
        return await pending.Result.ConfigureAwait(false);
    }

    /// <summary>Takes events that nobody reads.</summary>
    private sealed class NoEvents : ChannelWriter<GenerationEvent>
    {
        public static NoEvents Instance { get; } = new();

        public override bool TryComplete(Exception? error = null) => true;

        public override bool TryWrite(GenerationEvent item) => true;

        public override ValueTask<bool> WaitToWriteAsync(CancellationToken cancellationToken = default) => ValueTask.FromResult(true);
    }
}
