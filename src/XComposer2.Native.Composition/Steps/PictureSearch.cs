using XComposer2.Native.Model;
using XComposer2.Native.Composition.Pictures;

namespace XComposer2.Native.Composition;

/// <summary>Candidates for one figure from a source. What the source gives is not trusted: damaged, superfluous and repeated pictures are left out.</summary>
internal sealed class PictureSearch(int count)
{
    /// <summary>The article with the candidates that were found, perhaps none, and a note on what was wrong.</summary>
    public async Task<Article> RunAsync(Article article, int place, string caption, PictureSource source, CancellationToken cancellationToken)
    {
        string figure = $"figure after section {place + 1}";
        IReadOnlyList<ImageCandidate> found;
        try
        {
            found = await source.Images.SearchAsync(new ImageQuery(caption, count) { ExcludedIds = UsedIds(article, place, source.Name) }, cancellationToken).ConfigureAwait(false);
        }
        catch (ImageSourceException error)
        {
            return article.WithNote(CompositionStep.Search, NoteCause.Pictures, $"{figure}: {error.Message}");
        }

        HashSet<string> taken = article.ShownElsewhere(place);
        var candidates = new List<ArticlePicture>();
        foreach (ImageCandidate candidate in found.Take(count))
        {
            try
            {
                var picture = ArticlePicture.Of(candidate, source.Name);
                if (taken.Add(picture.FileName))
                    candidates.Add(picture);
            }
            catch (ImageException damaged)
            {
                article = article.WithNote(CompositionStep.Search, NoteCause.Pictures, $"{figure}: a picture was skipped: {damaged.Message}");
            }
        }

        if (candidates.Count == 0)
            return article.WithNote(CompositionStep.Search, NoteCause.Pictures, $"{figure}: {source.Name} has no picture for \"{AnswerQuote.Of(caption)}\"");
        return article.WithFigure(place, article.Sections[place].Figure! with { Candidates = candidates });
    }

    private static HashSet<string> UsedIds(Article article, int place, string source) =>
        [.. article.Sections.Where((section, index) => index != place && section.Figure?.Picture?.Source == source).Select(section => section.Figure!.Picture!.Id)];
}
