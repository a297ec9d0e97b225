using System.Collections.Immutable;

namespace XComposer2.Native.Model;

/// <summary>Part of a prompt: token ids, or the place of one picture.</summary>
/// <param name="Ids">Empty for a picture.</param>
/// <param name="Image">Index of the picture, counted over the whole conversation; negative for text.</param>
public readonly record struct PromptPiece(ImmutableArray<int> Ids, int Image)
{
    public bool IsImage => Image >= 0;

    public static PromptPiece OfText(ImmutableArray<int> ids) => new(ids, -1);

    public static PromptPiece OfImage(int image) => new([], image);
}
