using System.Text.Json;

namespace XComposer2.Native.Composition.Storage;

/// <summary>From article.json to a history. The file may come from anyone: whatever it says is checked, and no name in it leads out of its folder.</summary>
/// <param name="path">Of the file, for messages.</param>
/// <param name="readPicture">Gives the bytes of a picture by its checked file name.</param>
internal sealed class StoredArticleReader(string path, Func<string, ReadOnlyMemory<byte>> readPicture)
{
    private const int MaximumPictures = 4096;
    private const int MaximumCandidates = 64;
    private const int MaximumNotes = 10_000;
    private const long MaximumPictureBytes = 4L << 30;

    private readonly Dictionary<string, ArticlePicture> pictureOfFile = new(StringComparer.Ordinal);
    private ArticlePicture[] pictures = [];
    private long pictureBytes;

    /// <exception cref="ArticleFileException">It is no article, or damaged.</exception>
    public ArticleHistory Read(ReadOnlySpan<byte> json)
    {
        StoredArticle file = Parse(json);
        if (file.Format != StoredArticle.FormatName)
            throw Bad("format", $"\"{StoredArticle.FormatName}\"", Quote(file.Format));
        if (file.Version != StoredArticle.FormatVersion)
            throw Bad("version", $"{StoredArticle.FormatVersion}", $"{file.Version?.ToString(null, null) ?? "none"}");
        pictures = [.. Limited(file.Pictures, "pictures", 0, MaximumPictures).Select((picture, index) => Restore(picture, $"pictures[{index}]"))];
        var article = new Article
        {
            Instruction = Text(file.Instruction, "instruction"),
            Title = file.Title ?? "",
            Model = file.Model ?? "",
            Seed = file.Seed ?? 0,
            Pictures = new PictureOptions { MaximumSide = Limited(file.PictureSize ?? PictureOptions.DefaultSide, "picture_size", PictureOptions.SmallestSide, PictureOptions.LargestSide), KeepOriginals = file.Originals ?? false },
            OwnPictures = [.. Limited(file.OwnPictures, "own_pictures", 0, ArticleRequest.MaximumOwnPictures).Select((picture, index) => Picture(picture, $"own_pictures[{index}]"))],
        };
        ArticleState[] states = [.. Limited(file.States, "states", 1, ArticleHistory.MaximumStates).Select((state, index) => Restore(article, state, $"states[{index}]"))];
        int current = file.Current ?? states.Length - 1;
        if (current < 0 || current >= states.Length)
            throw Bad("current", $"0 to {states.Length - 1}", $"{current}");
        return ArticleHistory.Restore(states, current);
    }

    /// <summary>What a list shows.</summary>
    /// <param name="path">Of the file, for messages.</param>
    /// <param name="json">Its bytes.</param>
    /// <exception cref="ArticleFileException">It is no article, or damaged.</exception>
    public static ArticleSummary Summarize(string path, ReadOnlySpan<byte> json)
    {
        var reader = new StoredArticleReader(path, _ => throw new InvalidOperationException("a summary has no pictures"));
        StoredArticle file = reader.Parse(json);
        if (file.Format != StoredArticle.FormatName)
            throw reader.Bad("format", $"\"{StoredArticle.FormatName}\"", Quote(file.Format));
        int last = (file.States?.Count ?? 0) - 1;
        if (last < 0 || file.Current is < 0 || file.Current > last)
            throw reader.Bad("current", $"the index of one of {last + 1} states", $"{file.Current}");
        StoredState? shown = file.States![file.Current ?? last];
        IReadOnlyList<StoredSection?> sections = shown?.Sections ?? [];
        return new ArticleSummary(shown?.Title ?? file.Title ?? "", file.Instruction ?? "", sections.Count, sections.Count(section => section?.Figure?.Chosen is not null), last + 1);
    }

    private StoredArticle Parse(ReadOnlySpan<byte> json)
    {
        try
        {
            return JsonSerializer.Deserialize(json, StoredArticleJson.Files.StoredArticle) ?? throw new ArticleFileException($"{path}: no article: expected an object, found null");
        }
        catch (JsonException error)
        {
            throw new ArticleFileException($"{path}: not an article's JSON, or cut off: {error.Path ?? "$"}, line {error.LineNumber + 1}", error);
        }
    }

    private ArticlePicture Restore(StoredPicture? picture, string field)
    {
        string file = Text(picture?.File, $"{field}.file");
        if (!PictureFileName.IsOne(file))
            throw Bad($"{field}.file", "32 hexadecimal digits and .png, .jpg, .gif or .bmp, without folders", Quote(file));
        string id = Text(picture!.Id, $"{field}.id"), source = Text(picture.Source, $"{field}.source"), name = Text(picture.Name, $"{field}.name");
        // Many names may stand for one file: it is read, and its bytes are kept, once.
        if (pictureOfFile.TryGetValue(file, out ArticlePicture? read))
            return ArticlePicture.Restore(source, id, name, picture.Caption, read);
        ReadOnlyMemory<byte> bytes = readPicture(file);
        pictureBytes += bytes.Length;
        if (pictureBytes > MaximumPictureBytes)
            throw Bad("pictures", $"at most {MaximumPictureBytes} bytes together", $"{pictureBytes} at {field}");
        try
        {
            ArticlePicture restored = ArticlePicture.Restore(source, id, name, picture.Caption, bytes);
            if (restored.FileName != file)
                throw new ArticleFileException($"{file}: the picture was changed: a name is made of the bytes, and these give {restored.FileName}");
            pictureOfFile.Add(file, restored);
            return restored;
        }
        catch (Model.ImageException damaged)
        {
            throw new ArticleFileException($"{file}: {damaged.Message}", damaged);
        }
    }

    private ArticleState Restore(Article article, StoredState? state, string field) => new(
        Text(state?.Change, $"{field}.change"),
        article with
        {
            Title = state?.Title ?? article.Title,
            Sections = [.. Limited(state!.Sections, $"{field}.sections", 0, Article.MaximumSections).Select((section, index) => Restore(section, $"{field}.sections[{index}]"))],
            Notes = [.. Limited(state.Notes, $"{field}.notes", 0, MaximumNotes).Select((note, index) => Restore(note, $"{field}.notes[{index}]"))],
        });

    private ArticleSection Restore(StoredSection? section, string field)
    {
        string text = Text(section?.Text, $"{field}.text");
        if (ArticleText.Join(text) != text.Trim() || string.IsNullOrWhiteSpace(text))
            throw Bad($"{field}.text", "one line that is not empty", Quote(text));
        return new ArticleSection(text, section!.Figure is { } figure ? Restore(figure, $"{field}.figure") : null);
    }

    private ArticleFigure Restore(StoredFigure figure, string field)
    {
        IReadOnlyList<int> candidates = Limited(figure.Candidates, $"{field}.candidates", 0, MaximumCandidates);
        if (figure.Chosen is { } chosen && (chosen < 0 || chosen >= candidates.Count))
            throw Bad($"{field}.chosen", $"the index of one of {candidates.Count} candidates", $"{chosen}");
        return new ArticleFigure
        {
            Caption = figure.Caption ?? "",
            AlternativeText = figure.AlternativeText ?? "",
            Scores = Scores(figure, candidates.Count, field),
            Candidates = [.. candidates.Select((picture, index) => Picture(picture, $"{field}.candidates[{index}]"))],
            ChosenIndex = figure.Chosen,
        };
    }

    private CandidateScore[] Scores(StoredFigure figure, int candidates, string field)
    {
        if (figure.Scores is not { Count: > 0 } scores)
            return [];
        if (scores.Count != candidates)
            throw Bad($"{field}.scores", $"one for each of {candidates} candidates", $"{scores.Count}");
        foreach (StoredScore? score in scores)
            if (score is null || score.Rank < 1 || score.Probability is { } probability && !(probability is >= 0 and <= 1.001f))
                throw Bad($"{field}.scores", "a rank from 1 and a probability from 0 to 1", $"{score}");
        return [.. scores.Select(score => new CandidateScore(score!.Rank, score.Probability))];
    }

    private ArticleNote Restore(StoredNote? note, string field)
    {
        string text = Text(note?.Text, $"{field}.text");
        if (!Enum.IsDefined(note!.Step) || !Enum.IsDefined(note.Cause))
            throw Bad(field, "a step and a cause that are known", $"{note.Step}, {note.Cause}");
        return new ArticleNote(note.Step, note.Cause, text);
    }

    private ArticlePicture Picture(int index, string field) =>
        index >= 0 && index < pictures.Length ? pictures[index] : throw Bad(field, $"the index of one of {pictures.Length} pictures", $"{index}");

    private IReadOnlyList<T> Limited<T>(IReadOnlyList<T>? items, string field, int least, int most)
    {
        items ??= [];
        return items.Count >= least && items.Count <= most ? items : throw Bad(field, $"{least} to {most} entries", $"{items.Count}");
    }

    private int Limited(int value, string field, int least, int most) => value >= least && value <= most ? value : throw Bad(field, $"{least} to {most}", $"{value}");

    private string Text(string? text, string field) => text ?? throw Bad(field, "a text", "none");

    private ArticleFileException Bad(string field, string expected, string found) => new($"{path}: {field}: expected {expected}, found {found}");

    private static string Quote(string? text) => text is null ? "none" : $"\"{AnswerQuote.Of(text)}\"";
}
