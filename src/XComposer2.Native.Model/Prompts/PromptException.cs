namespace XComposer2.Native.Model;

/// <summary>A conversation that cannot be made into a prompt; the message is for the person who wrote it.</summary>
public sealed class PromptException : Exception
{
    public PromptException(string message)
        : base(message)
    {
    }
}
