namespace XComposer2.Native.Composition.Pictures;

/// <summary>Sentences about what was skipped; a gallery of damaged files does not fill the memory with them. Not thread-safe.</summary>
internal sealed class GalleryNotes
{
    private const int MaxNotes = 100;
    private const int MaxNoteLength = 500;

    private readonly List<string> notes = [];
    private int left;

    public void Add(string note)
    {
        if (notes.Count < MaxNotes)
            notes.Add(CaptionText.Clean(note, MaxNoteLength));
        else
            left++;
    }

    public IReadOnlyList<string> ToList() => left == 0 ? [.. notes] : [.. notes, $"and {left} notes more"];
}
