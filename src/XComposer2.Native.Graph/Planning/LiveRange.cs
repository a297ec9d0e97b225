namespace XComposer2.Native.Graph;

/// <summary>Steps during which a buffer must keep its bytes, both ends included: written at <paramref name="First"/>, last read at <paramref name="Last"/>.</summary>
public readonly record struct LiveRange(int First, int Last)
{
    public int Steps => Last - First + 1;

    /// <summary>True where both are live at some step. An operation's inputs and its output are: nothing is computed in place.</summary>
    public bool Overlaps(LiveRange other) => First <= other.Last && other.First <= Last;

    /// <summary>For example <c>3..7</c>.</summary>
    public override string ToString() => FormattableString.Invariant($"{First}..{Last}");
}
