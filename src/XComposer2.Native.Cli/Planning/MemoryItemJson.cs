namespace XComposer2.Native.Cli;

/// <summary>One line of a memory plan.</summary>
internal sealed record MemoryItemJson(string Name, long Bytes);
