using System.Collections.Immutable;
using System.Text;

namespace XComposer2.Native.Model;

/// <summary>
/// Collects marks, texts and pictures of one prompt. Texts that follow each other are tokenised as one: merges go over their borders,
/// as they do in the original, which tokenises the whole prompt; marks are borders in both.
/// </summary>
internal sealed class PromptWriter
{
    private readonly TextTokenizer tokenizer;
    private readonly BosRule bos;
    private readonly List<PromptPiece> pieces = [];
    private readonly ImmutableArray<int>.Builder part = ImmutableArray.CreateBuilder<int>();
    private readonly StringBuilder text = new();
    private bool partBegun;
    private bool anyPartBegun;

    /// <param name="tokenizer">Gives the ids.</param>
    /// <param name="bos">Where BOS stands.</param>
    /// <param name="extraBos">BOS before everything else, besides those of <paramref name="bos"/>.</param>
    public PromptWriter(TextTokenizer tokenizer, BosRule bos, bool extraBos)
    {
        this.tokenizer = tokenizer;
        this.bos = bos;
        if (extraBos || bos == BosRule.Start)
            part.Add(tokenizer.BosId);
    }

    public void Mark(int id) => Ids([id]);

    /// <summary>Nothing in it becomes a control token.</summary>
    public void Text(ReadOnlySpan<char> added) => text.Append(added);

    public void Ids(IReadOnlyList<int> ids)
    {
        if (ids.Count == 0)
            return;
        EncodeText();
        BeginPart();
        part.AddRange(ids);
    }

    public void Picture(int index)
    {
        EndPart();
        pieces.Add(PromptPiece.OfImage(index));
    }

    public IReadOnlyList<PromptPiece> Finish()
    {
        EndPart();
        return pieces;
    }

    private void EncodeText()
    {
        if (text.Length == 0)
            return;
        string whole = text.ToString();
        text.Clear();
        BeginPart();
        part.AddRange(tokenizer.EncodeUserText(whole));
    }

    private void BeginPart()
    {
        if (partBegun)
            return;
        if (bos == BosRule.EveryPart || (bos == BosRule.FirstPart && !anyPartBegun))
            part.Add(tokenizer.BosId);
        partBegun = anyPartBegun = true;
    }

    private void EndPart()
    {
        EncodeText();
        if (part.Count > 0)
            pieces.Add(PromptPiece.OfText(part.DrainToImmutable()));
        partBegun = false;
    }
}

/// <summary>Part of a prompt: token ids, or the place of one picture.</summary>
/// <param name="Ids">Empty for a picture.</param>
/// <param name="Image">Index of the picture, counted over the whole conversation; negative for text.</param>
public sealed record PromptPiece(ImmutableArray<int> Ids, int Image)
{
    public bool IsImage => Image >= 0;

    public static PromptPiece OfText(ImmutableArray<int> ids) => new(ids, -1);

    public static PromptPiece OfImage(int image) => new([], image);
}
