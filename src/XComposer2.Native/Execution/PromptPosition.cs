using XComposer2.Native.Model;

namespace XComposer2.Native;

/// <summary>A picture ready for the vision tower. Immutable.</summary>
/// <param name="Hash">Of the picture's pixels, before it was resized.</param>
/// <param name="TokenCount">Positions that the picture takes.</param>
/// <param name="Pixels">[3, S, S], normalised.</param>
internal sealed record PreparedPicture(ImageContentHash Hash, int TokenCount, float[] Pixels);

/// <summary>One position of a sequence: a token, or a row of a picture.</summary>
/// <param name="Id">Token id; 0 for a visual position.</param>
/// <param name="Picture">Null for text.</param>
/// <param name="Row">Row of <paramref name="Picture"/>.</param>
internal readonly record struct PromptPosition(int Id, PreparedPicture? Picture, int Row)
{
    public static PromptPosition Text(int id) => new(id, null, 0);

    public static PromptPosition Visual(PreparedPicture picture, int row) => new(0, picture, row);

    /// <summary>True where keys and values of one serve for the other, all earlier positions being equal.</summary>
    public bool Matches(in PromptPosition other) =>
        Id == other.Id && Row == other.Row && Picture?.Hash == other.Picture?.Hash;
}
