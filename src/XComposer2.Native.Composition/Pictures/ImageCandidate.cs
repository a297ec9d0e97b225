namespace XComposer2.Native.Composition.Pictures;

/// <summary>A picture that was found. All its texts come from outside: whoever shows them escapes them.</summary>
/// <param name="Id">Unique and stable within the source.</param>
/// <param name="Name">For messages: a file's name without its folders.</param>
/// <param name="Caption">What is known of the picture in words; null where nothing is.</param>
/// <param name="Bytes">The encoded file as it was found; not to be changed.</param>
public sealed record ImageCandidate(string Id, string Name, string? Caption, ReadOnlyMemory<byte> Bytes);
