namespace XComposer2.Native.Graph;

/// <summary>Part of the arena. <paramref name="Bytes"/> 0 means that there is none; the offset says nothing then.</summary>
public readonly record struct ArenaSlot(long OffsetBytes, long Bytes)
{
    /// <summary>First byte after the slot.</summary>
    public long EndBytes => OffsetBytes + Bytes;
}
