namespace XComposer2.Native.Cli;

/// <summary>A loaded model and its one conversation: the seam between the terminal and the engine.</summary>
internal interface IChatClient : IDisposable
{
    EngineInfo Info { get; }

    /// <summary>Finished turns, oldest first.</summary>
    IReadOnlyList<ChatExchange> History { get; }

    /// <inheritdoc cref="ChatSession.SendAsync"/>
    IAsyncEnumerable<GenerationEvent> SendAsync(UserMessage message, GenerationOptions options, CancellationToken cancellationToken);

    /// <inheritdoc cref="ChatSession.System"/>
    string? System { get; set; }

    /// <inheritdoc cref="ChatSession.RegenerateAsync"/>
    IAsyncEnumerable<GenerationEvent> RegenerateAsync(GenerationOptions options, CancellationToken cancellationToken);

    /// <inheritdoc cref="ChatSession.StopAnswer"/>
    void StopAnswer();

    /// <inheritdoc cref="ChatSession.RestoreAsync"/>
    Task RestoreAsync(IReadOnlyList<ChatExchange> exchanges, CancellationToken cancellationToken);

    /// <summary>Forgets the conversation.</summary>
    void Reset();
}

/// <summary>Loads a model and opens a conversation.</summary>
internal delegate Task<IChatClient> ChatConnector(EngineOptions engine, SessionOptions session, CancellationToken cancellationToken);

/// <summary>The real thing. Owns the engine and the session.</summary>
internal sealed class EngineChatClient(XComposerEngine engine, ChatSession session) : IChatClient
{
    public EngineInfo Info => engine.Info;

    public IReadOnlyList<ChatExchange> History => session.History;

    public static async Task<IChatClient> ConnectAsync(EngineOptions options, SessionOptions sessionOptions, CancellationToken cancellationToken)
    {
        XComposerEngine engine = await XComposerEngine.LoadAsync(options, cancellationToken).ConfigureAwait(false);
        try
        {
            return new EngineChatClient(engine, engine.CreateSession(sessionOptions));
        }
        catch
        {
            engine.Dispose();
            throw;
        }
    }

    public IAsyncEnumerable<GenerationEvent> SendAsync(UserMessage message, GenerationOptions options, CancellationToken cancellationToken) =>
        session.SendAsync(message, options, cancellationToken);

    public string? System
    {
        get => session.System;
        set => session.System = value;
    }

    public IAsyncEnumerable<GenerationEvent> RegenerateAsync(GenerationOptions options, CancellationToken cancellationToken) => session.RegenerateAsync(options, cancellationToken);

    public void StopAnswer() => session.StopAnswer();

    public Task RestoreAsync(IReadOnlyList<ChatExchange> exchanges, CancellationToken cancellationToken) => session.RestoreAsync(exchanges, cancellationToken);

    public void Reset() => session.Reset();

    public void Dispose()
    {
        session.Dispose();
        engine.Dispose();
    }
}
