using System.Runtime.InteropServices;
using XComposer2.Native.Runtime;

namespace XComposer2.Native;

/// <summary>A sequence in the KV cache, and what its positions were, so that whatever a new prompt begins with need not be computed again.</summary>
internal sealed class CachedSequence(ModelRunner runner) : IDisposable
{
    private readonly KeyValueSequence sequence = new(runner.Pool);
    private readonly List<PromptPosition> positions = [];

    /// <summary>Positions in the cache.</summary>
    public int Length => sequence.Length;

    /// <summary>Makes the sequence equal to these positions, and the runner's logits those after the last one.</summary>
    /// <param name="wanted">Not empty.</param>
    /// <param name="freePages">Called while pages are missing; false where it has none to free.</param>
    /// <param name="reused">Positions that were in the cache already; the last one never is, because its logits are wanted.</param>
    /// <param name="cancellation">Looked at between operations.</param>
    public void Extend(List<PromptPosition> wanted, Func<bool> freePages, out int reused, CancellationToken cancellation)
    {
        reused = CommonPrefix(wanted);
        Truncate(reused);
        ReadOnlySpan<PromptPosition> missing = CollectionsMarshal.AsSpan(wanted)[reused..];
        Reserve(missing.Length, freePages);
        try
        {
            runner.Prefill(sequence, missing, cancellation);
        }
        finally
        {
            // After a failure the sequence ends after some whole step; what it holds by then is still good.
            positions.AddRange(missing[..(sequence.Length - reused)]);
        }
    }

    /// <summary>Runs the token that a sampler chose last as the next position. It belongs to the sequence when it is kept, and is forgotten otherwise.</summary>
    public void Step(ITokenSampler sampler, Func<bool> freePages, CancellationToken cancellation)
    {
        Reserve(1, freePages);
        runner.Step(sequence, sampler, cancellation);
    }

    /// <summary>The last step's token belongs to the sequence.</summary>
    public void Keep(int id)
    {
        sequence.Advance(1);
        positions.Add(PromptPosition.Text(id));
    }

    /// <summary>Gives all pages back.</summary>
    public void Drop() => Truncate(0);

    public void Dispose() => sequence.Dispose();

    private int CommonPrefix(List<PromptPosition> wanted)
    {
        int most = Math.Min(positions.Count, wanted.Count - 1);
        int common = 0;
        while (common < most && positions[common].Matches(wanted[common]))
            common++;
        return common;
    }

    private void Truncate(int length)
    {
        sequence.Truncate(length);
        positions.RemoveRange(length, positions.Count - length);
    }

    private void Reserve(int tokens, Func<bool> freePages)
    {
        while (true)
        {
            try
            {
                sequence.Reserve(tokens);
                return;
            }
            catch (KeyValueCacheFullException) when (freePages())
            {
            }
        }
    }
}

/// <summary>One position of a sequence: a token, or a row of a picture.</summary>
/// <param name="Id">Token id; 0 for a visual position.</param>
/// <param name="Image">Null for text.</param>
/// <param name="Row">Row of <paramref name="Image"/>.</param>
internal readonly record struct PromptPosition(int Id, ImageEmbedding? Image, int Row)
{
    public static PromptPosition Text(int id) => new(id, null, 0);

    public static PromptPosition Visual(ImageEmbedding image, int row) => new(0, image, row);

    /// <summary>True where keys and values of one serve for the other, all earlier positions being equal.</summary>
    public bool Matches(in PromptPosition other) =>
        Id == other.Id && Row == other.Row && Image?.Hash == other.Image?.Hash;
}
