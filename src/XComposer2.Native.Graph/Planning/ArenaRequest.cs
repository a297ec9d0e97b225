namespace XComposer2.Native.Graph;

/// <summary>A buffer to be placed: its size, already aligned, and when it is live.</summary>
internal readonly record struct ArenaRequest(long Bytes, LiveRange Live);
