namespace XComposer2.Native;

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
