using System.Text.Json;

namespace XComposer2.Native.Composition;

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
        StoredState[] states = [.. history.States.Select(Store)];
        StoredPicture[] stored = [.. pictures.Select(picture => new StoredPicture(picture.FileName, picture.MediaType, picture.Source, picture.Id, picture.Name, picture.Caption))];
        var file = new StoredArticle(
            StoredArticle.FormatName, StoredArticle.FormatVersion, article.Title, article.Instruction, article.Model, article.Seed, stored, own, states, history.CurrentIndex);
        return [.. JsonSerializer.SerializeToUtf8Bytes(file, StoredArticleJson.Files.StoredArticle), (byte)'\n'];
    }

    private StoredState Store(ArticleState state) => new(
        state.Change,
        [.. state.Article.Sections.Select(Store)],
        [.. state.Article.Notes.Select(note => new StoredNote(note.Step, note.Cause, note.Text))]);

    private StoredSection Store(ArticleSection section) => new(
        section.Text,
        section.Figure is { } figure ? new StoredFigure(figure.Caption, [.. figure.Candidates.Select(Index)], figure.ChosenIndex) : null);

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
