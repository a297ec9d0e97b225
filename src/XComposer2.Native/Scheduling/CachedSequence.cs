using System.Runtime.InteropServices;
using XComposer2.Native.Runtime;

namespace XComposer2.Native;

/// <summary>A sequence in the key/value cache, and what its positions are, so that another prompt that begins alike need not compute them again.</summary>
internal sealed class CachedSequence : IDisposable
{
    private readonly KeyValueSequence sequence;
    private readonly List<PromptPosition> positions;

    public CachedSequence(KeyValuePool pool, int maximumPages)
        : this(new KeyValueSequence(pool, maximumPages), [])
    {
    }

    private CachedSequence(KeyValueSequence sequence, List<PromptPosition> positions)
    {
        this.sequence = sequence;
        this.positions = positions;
    }

    /// <summary>The pages.</summary>
    public KeyValueSequence Pages => sequence;

    /// <summary>Positions in the cache.</summary>
    public int Length => sequence.Length;

    /// <summary>What they are.</summary>
    public ReadOnlySpan<PromptPosition> Positions => CollectionsMarshal.AsSpan(positions);

    /// <summary>Positions that a step has written, and that are now known to belong to it.</summary>
    public void Keep(ReadOnlySpan<PromptPosition> written)
    {
        sequence.Advance(written.Length);
        positions.AddRange(written);
    }

    /// <summary>How many positions both begin with.</summary>
    public int CommonPrefix(ReadOnlySpan<PromptPosition> wanted)
    {
        int most = Math.Min(positions.Count, wanted.Length), common = 0;
        while (common < most && positions[common].Matches(wanted[common]))
            common++;
        return common;
    }

    /// <summary>Another one with the first positions of this one, whose pages both own.</summary>
    public CachedSequence Fork(int length)
    {
        KeyValueSequence fork = sequence.Fork(length);
        return new CachedSequence(fork, positions[..length]);
    }

    /// <summary>Forgets all positions from a length on, and gives back the pages that held only them or nothing yet.</summary>
    public void Truncate(int length)
    {
        sequence.Truncate(length);
        positions.RemoveRange(length, positions.Count - length);
    }

    public void Dispose() => sequence.Dispose();
}
