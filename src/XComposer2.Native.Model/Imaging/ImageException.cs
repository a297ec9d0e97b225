namespace XComposer2.Native.Model;

/// <summary>A picture that cannot be used. The message names the file and the reason, for the user as it stands.</summary>
public sealed class ImageException : Exception
{
    public ImageException(string message) : base(message) { }

    public ImageException(string message, Exception cause) : base(message, cause) { }

    internal static ImageException For(string name, string reason) => new($"{name}: {reason}");
}
