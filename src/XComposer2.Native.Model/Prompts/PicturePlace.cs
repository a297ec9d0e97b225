namespace XComposer2.Native.Model;

/// <summary>Where the pictures of a turn stand.</summary>
public enum PicturePlace
{
    /// <summary>In the user's text: at its placeholders, or before it where it has none.</summary>
    InText,

    /// <summary>Before the mark that begins the turn; placeholders only count.</summary>
    BeforeTurn,

    /// <summary>Those of all turns before the whole prompt; placeholders only count.</summary>
    BeforePrompt,
}
