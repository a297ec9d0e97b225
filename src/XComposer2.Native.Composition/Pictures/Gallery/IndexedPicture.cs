namespace XComposer2.Native.Composition.Pictures;

/// <summary>A picture that can be found.</summary>
internal sealed record IndexedPicture(PictureRecord Record, PictureWords Words)
{
    /// <summary>Everything that is known of it in words.</summary>
    public string Text => string.Join('\n', [Words.Sidecar, Words.Name, Words.Folders, Record.Metadata, .. Record.Captions ?? []]);

    /// <summary>What somebody, or the model, says of it, in the language of the question where there is a choice; null where there is nothing.</summary>
    public string? Caption(bool isCjk)
    {
        if (Words.Sidecar.Length > 0)
            return Words.Sidecar;
        if (Record.Metadata.Length > 0)
            return Record.Metadata;
        if (Record.Captions is not { Count: > 0 } captions)
            return null;
        return captions.FirstOrDefault(caption => caption.EnumerateRunes().Any(TextTerms.IsCjk) == isCjk, captions[0]);
    }
}

/// <summary>What an index keeps of a picture. Immutable.</summary>
/// <param name="File">Path, size and time of the file when it was read.</param>
/// <param name="Hash">SHA-256 of the file.</param>
/// <param name="Features">[CompactFeatures.Length].</param>
/// <param name="Metadata">Words in the file itself; empty for none.</param>
/// <param name="Captions">Written by the model; null where it was not asked.</param>
internal sealed record PictureRecord(FoundPicture File, ContentHash Hash, sbyte[] Features, string Metadata, IReadOnlyList<string>? Captions);

/// <summary>What is said of a picture outside its file.</summary>
internal sealed class PictureWords(FoundPicture picture, string sidecar)
{
    /// <summary>The caption beside it; empty where there is none.</summary>
    public string Sidecar { get; } = sidecar;

    /// <summary>Words of its name that mean something.</summary>
    public string Name { get; } = NameWords.Of(picture.Stem);

    /// <summary>Words of the folders it lies in: good to search in, but of all pictures there alike.</summary>
    public string Folders { get; } = string.Join(' ', picture.Folder.Split('/').Select(NameWords.Of).Where(words => words.Length > 0));

    /// <summary>Whether somebody has said what is in the picture, so that the model need not.</summary>
    public bool SayWhatIsShown => Sidecar.Length > 0 || Name.Length > 0;
}
