namespace XComposer2.Native.Cli;

/// <summary>A loaded model and its one conversation: the seam between the terminal and the engine.</summary>
internal interface IChatClient : IDisposable
{
    EngineInfo Info { get; }

    /// <summary>Finished turns, oldest first.</summary>
    IReadOnlyList<ChatExchange> History { get; }

    /// <inheritdoc cref="ChatSession.SendAsync"/>
    IAsyncEnumerable<GenerationEvent> SendAsync(UserMessage message, GenerationOptions options, CancellationToken cancellationToken);

    /// <summary>Forgets the conversation.</summary>
    void Reset();
}
