namespace XComposer2.Native.Model;

/// <summary>A tensor and where its bytes begin, already checked to lie inside of the file.</summary>
internal readonly record struct StoredTensor(CheckpointTensor Facts, long OffsetBytes);
