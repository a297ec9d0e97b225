namespace XComposer2.Native.Composition;

/// <summary>What article.json holds. Every member may be missing in a file that someone else wrote.</summary>
/// <param name="Format">Always <see cref="FormatName"/>.</param>
/// <param name="Version">Of the format.</param>
/// <param name="Title">Of the article.</param>
/// <param name="Instruction">Of the article.</param>
/// <param name="Model">Of the article.</param>
/// <param name="Seed">Of the article.</param>
/// <param name="Pictures">All pictures of all states; others name them by their index.</param>
/// <param name="OwnPictures">Indices.</param>
/// <param name="States">Oldest first.</param>
/// <param name="Current">Index of the state that is shown.</param>
internal sealed record StoredArticle(
    string? Format, int? Version, string? Title, string? Instruction, string? Model, ulong? Seed,
    IReadOnlyList<StoredPicture?>? Pictures, IReadOnlyList<int>? OwnPictures, IReadOnlyList<StoredState?>? States, int? Current)
{
    public const string FormatName = "xcomposer2-article";
    public const int FormatVersion = 1;
}
