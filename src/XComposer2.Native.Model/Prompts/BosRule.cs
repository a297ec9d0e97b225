namespace XComposer2.Native.Model;

/// <summary>Where the begin-of-sequence token stands. A part is the text between two pictures.</summary>
public enum BosRule
{
    /// <summary>Once, at the beginning of the first part, whether or not a picture stands before it.</summary>
    FirstPart,

    /// <summary>At the beginning of every part.</summary>
    EveryPart,

    /// <summary>Once, before everything else.</summary>
    Start,
}
