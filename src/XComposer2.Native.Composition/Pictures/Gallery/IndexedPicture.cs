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
