namespace XComposer2.Native.Model;

/// <summary>A stored entry: its bytes stand in the archive as they are.</summary>
internal readonly record struct ZipEntry(string Name, long OffsetBytes, long LengthBytes);
