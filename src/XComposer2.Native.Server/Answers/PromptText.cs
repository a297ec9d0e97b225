using System.Text;
using XComposer2.Native.Model;

namespace XComposer2.Native.Server;

/// <summary>Prompts as text and as numbers.</summary>
internal static class PromptText
{
    /// <summary>Stands for one position of a picture.</summary>
    public const int PicturePosition = -1;

    /// <summary>The prompt with marks of turns and a placeholder for each picture; BOS has no text.</summary>
    public static string Of(TextTokenizer tokenizer, IReadOnlyList<PromptPiece> pieces)
    {
        var text = new StringBuilder();
        foreach (PromptPiece piece in pieces)
            text.Append(piece.IsImage ? ChatTemplate.Placeholder : tokenizer.Decode(piece.Ids.AsSpan()));
        return text.ToString();
    }

    /// <summary>All positions: ids, and <see cref="PicturePosition"/> for each of a picture.</summary>
    public static int[] Positions(IReadOnlyList<PromptPiece> pieces, int tokensPerPicture) =>
        [.. pieces.SelectMany(piece => piece.IsImage ? Enumerable.Repeat(PicturePosition, tokensPerPicture) : piece.Ids)];
}
