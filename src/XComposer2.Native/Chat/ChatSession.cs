namespace XComposer2.Native;

/// <summary>A conversation. Keeps its KV cache over turns and encodes no picture twice. One answer at a time.</summary>
public sealed class ChatSession : IDisposable
{
    /// <summary>Finished turns, oldest first.</summary>
    public IReadOnlyList<ChatExchange> History => throw new NotImplementedException();

    /// <summary>Asks, and streams the answer: text as it becomes certain, then the result. A turn that fails or is cancelled leaves the conversation as it was.</summary>
    /// <param name="message">The question and its pictures.</param>
    /// <param name="options">Null for the defaults.</param>
    /// <param name="cancellationToken">Ends the answer within one step.</param>
    /// <exception cref="EngineException">The request cannot be carried out (empty, over the context, options out of range).</exception>
    /// <exception cref="Model.ImageException">A picture is damaged, too large, or no picture.</exception>
    public IAsyncEnumerable<GenerationEvent> SendAsync(UserMessage message, GenerationOptions? options = null, CancellationToken cancellationToken = default) =>
        throw new NotImplementedException();

    /// <summary>Forgets the conversation; the system text stays.</summary>
    public void Reset() => throw new NotImplementedException();

    /// <inheritdoc/>
    public void Dispose() => throw new NotImplementedException();
}
