namespace XComposer2.Native;

/// <summary>Base of every error that a caller can act on. The message names the file or option, what was expected and what was found, and is fit to be shown to a user.</summary>
/// <remarks>
/// Derived types tell the source: a checkpoint (<c>CheckpointException</c>), a picture (<c>ImageException</c>), a prompt (<c>PromptException</c>), an option,
/// a limit or the device (<c>EngineException</c>), an article folder (<c>ArticleFileException</c>), a picture source (<c>ImageSourceException</c>).
/// Argument errors and use after disposal are reported with the usual .NET types.
/// </remarks>
public abstract class XComposerException : Exception
{
    /// <inheritdoc/>
    protected XComposerException(string message)
        : base(message)
    {
    }

    /// <inheritdoc/>
    protected XComposerException(string message, Exception? inner)
        : base(message, inner)
    {
    }
}
