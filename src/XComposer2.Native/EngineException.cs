namespace XComposer2.Native;

/// <summary>A request that can't be carried out, with a message for the person who made it. Bad files have exceptions of their own.</summary>
public sealed class EngineException : Exception
{
    /// <inheritdoc/>
    public EngineException(string message)
        : base(message)
    {
    }

    /// <inheritdoc/>
    public EngineException(string message, Exception inner)
        : base(message, inner)
    {
    }

    /// <summary>Refuses an option that is out of its range, in the words of its name.</summary>
    internal static void ThrowUnless<T>(bool holds, string option, string expected, T found)
    {
        if (!holds)
            throw new EngineException(FormattableString.Invariant($"{option}: expected {expected}, found {found}"));
    }
}
