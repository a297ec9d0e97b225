namespace XComposer2.Native;

/// <summary>A loaded model. Safe to use from several threads; answers of its sessions take turns.</summary>
public sealed class XComposerEngine : IDisposable
{
    /// <summary>What was loaded, and on what it runs.</summary>
    public EngineInfo Info => throw new NotImplementedException();

    /// <summary>Opens a checkpoint and makes everything ready to answer.</summary>
    /// <exception cref="Model.CheckpointException">The checkpoint is missing something or damaged.</exception>
    /// <exception cref="EngineException">The options ask for what cannot be.</exception>
    public static Task<XComposerEngine> LoadAsync(EngineOptions options, CancellationToken cancellationToken = default) => throw new NotImplementedException();

    /// <summary>A new conversation. Dispose it before the engine.</summary>
    /// <exception cref="EngineException">The prompt style is unknown.</exception>
    public ChatSession CreateSession(SessionOptions? options = null) => throw new NotImplementedException();

    /// <inheritdoc/>
    public void Dispose() => throw new NotImplementedException();
}
