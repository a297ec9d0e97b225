namespace XComposer2.Native.Composition;

/// <summary>An article's folder that cannot be used. The message names the file and the reason, for the user as it stands.</summary>
public sealed class ArticleFileException : Exception
{
    /// <inheritdoc/>
    public ArticleFileException(string message)
        : base(message)
    {
    }

    /// <inheritdoc/>
    public ArticleFileException(string message, Exception inner)
        : base(message, inner)
    {
    }
}
