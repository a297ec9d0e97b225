namespace XComposer2.Native.Runtime;

/// <summary>Rows of a step that belong to one sequence and follow its tokens in the cache.</summary>
public readonly record struct SequenceRows(KeyValueSequence Sequence, int FirstRow, int RowCount);
