namespace XComposer2.Native;

/// <summary>Facts that hold for a whole conversation.</summary>
public sealed record SessionOptions
{
    /// <summary>Text of the system turn; null for the prompt style's own (the default style has none), empty for none.</summary>
    public string? System { get; init; }

    /// <summary>Name of a prompt style (see the prompt styles of XComposer2.Native.Model); null for the default, "train".</summary>
    public string? PromptStyle { get; init; }
}
