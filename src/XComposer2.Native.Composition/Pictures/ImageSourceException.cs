namespace XComposer2.Native.Composition.Pictures;

/// <summary>A source of pictures that cannot be used, or cannot answer. The message names it and the reason, for the user as it stands.</summary>
public sealed class ImageSourceException : Exception
{
    /// <inheritdoc/>
    public ImageSourceException(string message)
        : base(message)
    {
    }

    /// <inheritdoc/>
    public ImageSourceException(string message, Exception inner)
        : base(message, inner)
    {
    }
}
