namespace XComposer2.Native.Model;

/// <summary>How a conversation becomes a prompt: data, one for each entry point of the original code.</summary>
public sealed record PromptStyle
{
    public static IReadOnlyList<PromptStyle> All => throw new NotImplementedException();

    /// <summary>"train", "chat", "eval".</summary>
    public required string Name { get; init; }

    /// <exception cref="PromptException">No style has this name; the message lists them.</exception>
    public static PromptStyle Find(string name) => throw new NotImplementedException();
}
