using XComposer2.Native.Graph;
using XComposer2.Native.Model;
using XComposer2.Native.Runtime;

namespace XComposer2.Native;

/// <summary>
/// Rows of encoded pictures in a backend's memory, by the hash of their pixels, between the vision tower and the decoder. A place is given to another
/// picture when as many as are kept are taken, the least recently used one first, and never while it is pinned. Not thread-safe.
/// </summary>
internal sealed class PictureRows : IDisposable
{
    private readonly Dictionary<ImageContentHash, LinkedListNode<Place>> byHash = [];
    private readonly LinkedList<Place> byUse = [];
    private readonly int rowsPerPicture;
    private readonly int capacity;
    private readonly int kept;

    /// <param name="backend">Not owned; must outlive this.</param>
    /// <param name="pictures">Places.</param>
    /// <param name="kept">Places used first; further ones are used only while all of these are pinned.</param>
    /// <param name="rowsPerPicture">Rows of each.</param>
    /// <param name="columns">Elements of a row.</param>
    public PictureRows(IBackend backend, int pictures, int kept, int rowsPerPicture, int columns)
    {
        ArgumentNullException.ThrowIfNull(backend);
        this.rowsPerPicture = rowsPerPicture;
        capacity = pictures;
        this.kept = kept;
        Memory = backend.AllocateRows(checked(pictures * rowsPerPicture), columns);
    }

    /// <summary>All places, one behind the other.</summary>
    public IRowMemory Memory { get; }

    public bool Contains(ImageContentHash hash) => byHash.ContainsKey(hash);

    /// <summary>The picture's first row; negative where it has no place. Counts as a use.</summary>
    public int FirstRowOf(ImageContentHash hash)
    {
        if (!byHash.TryGetValue(hash, out LinkedListNode<Place>? place))
            return -1;
        byUse.Remove(place);
        byUse.AddFirst(place);
        return place.Value.Index * rowsPerPicture;
    }

    /// <summary>Gives a picture that has none a place, whose rows are to be written.</summary>
    /// <returns>Its first row.</returns>
    /// <exception cref="InvalidOperationException">All places are pinned.</exception>
    public int Add(ImageContentHash hash)
    {
        int index = byUse.Count < kept ? byUse.Count : FreeOldest() ?? byUse.Count;
        if (index == capacity)
            throw new InvalidOperationException($"all {capacity} places for pictures are in use");
        byHash.Add(hash, byUse.AddFirst(new Place(hash, index)));
        return index * rowsPerPicture;
    }

    /// <summary>Takes a picture's place away, whose rows could not be written.</summary>
    public void Forget(ImageContentHash hash)
    {
        // The place keeps its index, under a name that no picture has.
        if (!byHash.Remove(hash, out LinkedListNode<Place>? place))
            return;
        byUse.Remove(place);
        byUse.AddLast(place.Value with { IsEmpty = true, Pins = 0 });
    }

    /// <summary>Keeps a picture's place until it is unpinned as often.</summary>
    public void Pin(ImageContentHash hash)
    {
        LinkedListNode<Place> place = byHash[hash];
        place.Value = place.Value with { Pins = place.Value.Pins + 1 };
    }

    public void Unpin(ImageContentHash hash)
    {
        if (byHash.TryGetValue(hash, out LinkedListNode<Place>? place) && place.Value.Pins > 0)
            place.Value = place.Value with { Pins = place.Value.Pins - 1 };
    }

    public void Dispose() => Memory.Dispose();

    private int? FreeOldest()
    {
        LinkedListNode<Place>? oldest = byUse.Last;
        while (oldest is { Value.Pins: > 0 })
            oldest = oldest.Previous;
        if (oldest is null)
            return null;
        byUse.Remove(oldest);
        if (!oldest.Value.IsEmpty)
            byHash.Remove(oldest.Value.Hash);
        return oldest.Value.Index;
    }

    private sealed record Place(ImageContentHash Hash, int Index)
    {
        public int Pins { get; init; }

        public bool IsEmpty { get; init; }
    }
}
