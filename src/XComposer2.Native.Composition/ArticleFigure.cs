namespace XComposer2.Native.Composition;

/// <summary>
/// A figure after a section. It comes into being step by step: a place, then a caption, then candidates, then the chosen one of them; an
/// article that was stopped on the way has figures without a picture, which nobody shows.
/// </summary>
public sealed record ArticleFigure
{
    /// <summary>What the picture is to show; empty where it has none yet, and where the user's own pictures were chosen from.</summary>
    public string Caption { get; init; } = "";

    /// <summary>Pictures that were found for it, best first.</summary>
    public IReadOnlyList<ArticlePicture> Candidates { get; init; } = [];

    /// <summary>Which of <see cref="Candidates"/> is shown; null where none is chosen yet.</summary>
    public int? ChosenIndex { get; init; }

    /// <summary>The picture that is shown; null where none is chosen yet.</summary>
    public ArticlePicture? Picture => ChosenIndex is { } index ? Candidates[index] : null;
}
