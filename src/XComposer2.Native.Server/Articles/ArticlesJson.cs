using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using XComposer2.Native.Composition;
using XComposer2.Native.Composition.Storage;

namespace XComposer2.Native.Server;

/// <summary>Responses about articles: snake_case, Chinese as it is. What is unknown is null.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(ArticleJson))]
[JsonSerializable(typeof(ArticleListJson))]
[JsonSerializable(typeof(ArticleChangeJson))]
[JsonSerializable(typeof(OutlineJson))]
[JsonSerializable(typeof(StepJson))]
[JsonSerializable(typeof(WrittenJson))]
[JsonSerializable(typeof(CompositionProgress))]
internal sealed partial class ArticlesJson : JsonSerializerContext
{
    public static ArticlesJson Lines { get; } = new(new JsonSerializerOptions
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    });
}

internal sealed record ArticleJson(
    string Id, string Status, long Updated, string Title, string Instruction, string Model, ulong Seed, IReadOnlyList<SectionJson> Sections,
    IReadOnlyList<ArticlePictureJson> OwnPictures, IReadOnlyList<NoteJson> Notes, IReadOnlyList<string> Changes, int CurrentChange)
{
    public const string Complete = "complete", Incomplete = "incomplete";

    public static ArticleJson Of(string id, ArticleHistory history, bool isComplete, DateTime updated)
    {
        Article article = history.Current;
        string folder = $"{ArticleEndpoints.ArticlesPath}{id}/{ArticleFolder.PicturesFolder}/";
        return new ArticleJson(
            id, isComplete ? Complete : Incomplete, new DateTimeOffset(updated, TimeSpan.Zero).ToUnixTimeSeconds(), article.Title, article.Instruction, article.Model, article.Seed,
            [.. article.Sections.Select((section, index) => new SectionJson(index + 1, section.Text, section.Figure is { } figure ? FigureJson.Of(figure, folder) : null))],
            [.. article.OwnPictures.Select(picture => new ArticlePictureJson(folder + picture.FileName, picture.MediaType, picture.Name))],
            [.. article.Notes.Select(note => new NoteJson(Lower(note.Step.ToString()), Lower(note.Cause.ToString()), note.Text))],
            [.. history.States.Select(state => state.Change)], history.CurrentIndex);
    }

    public static string Lower(string name) => name.ToLowerInvariant();
}

/// <param name="Number">From 1.</param>
/// <param name="Text">One line of Markdown.</param>
/// <param name="Figure">After the section.</param>
internal sealed record SectionJson(int Number, string Text, FigureJson? Figure);

/// <param name="Caption">May be empty.</param>
/// <param name="AlternativeText">May be empty.</param>
/// <param name="Chosen">Number of a candidate, from 1.</param>
/// <param name="Candidates">The best first.</param>
internal sealed record FigureJson(string Caption, string AlternativeText, int? Chosen, IReadOnlyList<CandidateJson> Candidates)
{
    public static FigureJson Of(ArticleFigure figure, string folder) => new(
        figure.Caption, figure.AlternativeText, figure.ChosenIndex + 1,
        [
            .. figure.Candidates.Select((picture, index) =>
            {
                CandidateScore score = figure.Scores.Count > 0 ? figure.Scores[index] : default;
                return new CandidateJson(index + 1, folder + picture.FileName, picture.MediaType, picture.Name, picture.Source, picture.Caption, score.Rank, score.Probability);
            }),
        ]);
}

internal sealed record CandidateJson(int Number, string Url, string MediaType, string Name, string Source, string? Caption, int? Rank, float? Probability);

internal sealed record ArticlePictureJson(string Url, string MediaType, string Name);

internal sealed record NoteJson(string Step, string Cause, string Text);

internal sealed record ArticleListJson(IReadOnlyList<ArticleEntryJson> Data);

internal sealed record ArticleEntryJson(string Id, string Status, long Updated, string Title, string Instruction, int Sections, int Figures, int Changes)
{
    private const int InstructionLength = 200;

    public static ArticleEntryJson Of(string id, ArticleSummary summary, bool isComplete) => new(
        id, isComplete ? ArticleJson.Complete : ArticleJson.Incomplete, new DateTimeOffset(summary.Updated, TimeSpan.Zero).ToUnixTimeSeconds(), summary.Title,
        summary.Instruction.Length <= InstructionLength ? summary.Instruction : summary.Instruction[..(char.IsHighSurrogate(summary.Instruction[InstructionLength - 1]) ? InstructionLength - 1 : InstructionLength)],
        summary.Sections, summary.Figures, summary.Changes);
}

/// <summary>The last event of a stream, and the response without one.</summary>
internal sealed record ArticleChangeJson(ArticleJson Article, IReadOnlyList<string> Changes);

internal sealed record OutlineJson(IReadOnlyList<string> Points, ulong Seed);

internal sealed record StepJson(string Step, int Number, int Total, string Subject);

internal sealed record WrittenJson(string Text);
