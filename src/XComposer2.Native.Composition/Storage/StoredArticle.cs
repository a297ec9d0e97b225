using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace XComposer2.Native.Composition.Storage;

/// <summary>What article.json holds. Every member may be missing in a file that someone else wrote.</summary>
/// <param name="Format">Always <see cref="FormatName"/>.</param>
/// <param name="Version">Of the format.</param>
/// <param name="Title">Of the article.</param>
/// <param name="Instruction">Of the article.</param>
/// <param name="Model">Of the article.</param>
/// <param name="Seed">Of the article.</param>
/// <param name="PictureSize">Longest side of pictures; null for the default.</param>
/// <param name="Originals">Whether pictures are stored unchanged.</param>
/// <param name="Pictures">All pictures of all states; others name them by their index.</param>
/// <param name="OwnPictures">Indices.</param>
/// <param name="States">Oldest first.</param>
/// <param name="Current">Index of the state that is shown.</param>
internal sealed record StoredArticle(
    string? Format, int? Version, string? Title, string? Instruction, string? Model, ulong? Seed, int? PictureSize, bool? Originals,
    IReadOnlyList<StoredPicture?>? Pictures, IReadOnlyList<int>? OwnPictures, IReadOnlyList<StoredState?>? States, int? Current)
{
    public const string FormatName = "xcomposer2-article";
    public const int FormatVersion = 1;
}

/// <summary>A state of the history in article.json.</summary>
/// <param name="Change">Description of the change.</param>
/// <param name="Title">Title in this state; null for that of the article.</param>
/// <param name="Sections">Sections in this state.</param>
/// <param name="Notes">Notes in this state.</param>
internal sealed record StoredState(string? Change, string? Title, IReadOnlyList<StoredSection?>? Sections, IReadOnlyList<StoredNote?>? Notes);

/// <summary>A section in article.json.</summary>
internal sealed record StoredSection(string? Text, StoredFigure? Figure);

/// <summary>A figure in article.json.</summary>
/// <param name="Caption">Of the figure.</param>
/// <param name="AlternativeText">Of the figure; null for none.</param>
/// <param name="Candidates">Indices of pictures.</param>
/// <param name="Scores">Of the candidates; null for none.</param>
/// <param name="Chosen">Index of a candidate; null for none.</param>
internal sealed record StoredFigure(string? Caption, string? AlternativeText, IReadOnlyList<int>? Candidates, IReadOnlyList<StoredScore?>? Scores, int? Chosen);

/// <summary>A candidate's scores in article.json.</summary>
internal sealed record StoredScore(int? Rank, float? Probability);

/// <summary>A picture in article.json; its bytes lie in the folder of pictures.</summary>
internal sealed record StoredPicture(string? File, string? MediaType, string? Source, string? Id, string? Name, string? Caption);

/// <summary>A note in article.json.</summary>
internal sealed record StoredNote(CompositionStep Step, NoteCause Cause, string? Text);

/// <summary>article.json: snake_case, indented, Chinese as it is.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, UseStringEnumConverter = true)]
[JsonSerializable(typeof(StoredArticle))]
internal sealed partial class StoredArticleJson : JsonSerializerContext
{
    /// <summary>Deeper nesting than the format has is refused.</summary>
    private const int MaximumDepth = 16;

    public static StoredArticleJson Files { get; } = new(new JsonSerializerOptions
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        WriteIndented = true,
        NewLine = "\n",
        MaxDepth = MaximumDepth,
    });
}

/// <summary>From a history to article.json and the pictures that it names. The same history gives the same bytes.</summary>
internal sealed class StoredArticleWriter
{
    private readonly List<ArticlePicture> pictures = [];
    private readonly Dictionary<(string File, string Source, string Id), int> indices = [];

    /// <summary>Pictures that the last <see cref="Write"/> named, by file name.</summary>
    public IReadOnlyDictionary<string, ReadOnlyMemory<byte>> Files => pictures.DistinctBy(picture => picture.FileName).ToDictionary(picture => picture.FileName, picture => picture.Bytes);

    /// <returns>The file, UTF-8.</returns>
    public byte[] Write(ArticleHistory history)
    {
        Article article = history.Current;
        int[] own = [.. article.OwnPictures.Select(Index)];
        StoredState[] states = [.. history.States.Select(state => Store(state, article.Title))];
        StoredPicture[] stored = [.. pictures.Select(picture => new StoredPicture(picture.FileName, picture.MediaType, picture.Source, picture.Id, picture.Name, picture.Caption))];
        var file = new StoredArticle(
            StoredArticle.FormatName, StoredArticle.FormatVersion, article.Title, article.Instruction, article.Model, article.Seed,
            article.Pictures.MaximumSide == PictureOptions.DefaultSide ? null : article.Pictures.MaximumSide, article.Pictures.KeepOriginals ? true : null, stored, own, states, history.CurrentIndex);
        return [.. JsonSerializer.SerializeToUtf8Bytes(file, StoredArticleJson.Files.StoredArticle), (byte)'\n'];
    }

    private StoredState Store(ArticleState state, string title) => new(
        state.Change,
        state.Article.Title == title ? null : state.Article.Title,
        [.. state.Article.Sections.Select(Store)],
        [.. state.Article.Notes.Select(note => new StoredNote(note.Step, note.Cause, note.Text))]);

    private StoredSection Store(ArticleSection section) => new(
        section.Text,
        section.Figure is { } figure ? Store(figure) : null);

    private StoredFigure Store(ArticleFigure figure) => new(
        figure.Caption,
        figure.AlternativeText.Length > 0 ? figure.AlternativeText : null,
        [.. figure.Candidates.Select(Index)],
        figure.Scores.Count > 0 ? [.. figure.Scores.Select(score => new StoredScore(score.Rank, score.Probability))] : null,
        figure.ChosenIndex);

    private int Index(ArticlePicture picture)
    {
        (string, string, string) key = (picture.FileName, picture.Source, picture.Id);
        if (!indices.TryGetValue(key, out int index))
        {
            indices.Add(key, index = pictures.Count);
            pictures.Add(picture);
        }

        return index;
    }
}
