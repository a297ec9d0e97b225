using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using XComposer2.Native.Composition.Pictures;

namespace XComposer2.Native.Composition.Output;

/// <summary>
/// A contact sheet: the candidates of each figure with their numbers, the model's probabilities and the ranks of the search, to choose with
/// <c>xc2 edit --op choose-figure --candidate N</c>. It shows the files of the article's folder of pictures. Not part of the article: it is not packed.
/// </summary>
public static class CandidatesPage
{
    /// <summary>Default file name.</summary>
    public const string FileName = "candidates.html";

    private const int ExcerptLength = 160;

    private const string Css = """

        :root { color-scheme: light dark; --paper: #fcfbf8; --ink: #24211c; --soft: #6f685d; --line: #ddd6c9; --plate: #f3efe7; --accent: #a8452c; }
        @media (prefers-color-scheme: dark) {
          :root { --paper: #17171a; --ink: #d9d5cc; --soft: #98928a; --line: #34343b; --plate: #212126; --accent: #e59a7f; }
        }
        *, ::before, ::after { box-sizing: border-box; }
        body { margin: 0; background: var(--paper); color: var(--ink); font: 1rem/1.5 ui-sans-serif, system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", "Noto Sans", "Noto Sans CJK SC", sans-serif; overflow-wrap: anywhere; }
        main { max-width: 72rem; margin: 0 auto; padding: 2.5rem 1.25rem 4rem; }
        h1 { margin: 0 0 0.4rem; font-size: 1.6rem; line-height: 1.25; }
        header p, .excerpt { margin: 0; color: var(--soft); }
        section { margin-top: 2.6rem; padding-top: 1.2rem; border-top: 1px solid var(--line); }
        h2 { margin: 0 0 0.2rem; font-size: 1.12rem; line-height: 1.35; }
        .excerpt { font-size: 0.9rem; }
        ol { display: grid; grid-template-columns: repeat(auto-fill, minmax(13.5rem, 1fr)); gap: 1rem; margin: 1rem 0 0; padding: 0; list-style: none; }
        li { display: flex; flex-direction: column; border: 1px solid var(--line); border-radius: 8px; background: var(--plate); overflow: hidden; }
        li.chosen { border-color: var(--accent); box-shadow: 0 0 0 2px var(--accent); }
        .picture { display: flex; align-items: center; justify-content: center; height: 12rem; background: var(--paper); }
        img { display: block; max-width: 100%; max-height: 12rem; width: auto; height: auto; }
        .text { padding: 0.7rem 0.85rem 0.85rem; font-size: 0.86rem; }
        .text p { margin: 0.25rem 0 0; }
        .number { display: flex; justify-content: space-between; gap: 0.5rem; font-size: 1.05rem; font-weight: 650; font-variant-numeric: tabular-nums; }
        .chosen .number span:last-child { color: var(--accent); }
        progress { display: block; width: 100%; height: 0.45rem; margin-top: 0.45rem; border: 0; border-radius: 3px; background: var(--line); accent-color: var(--accent); appearance: none; overflow: hidden; }
        progress::-webkit-progress-bar { background: var(--line); }
        progress::-webkit-progress-value { background: var(--accent); }
        progress::-moz-progress-bar { background: var(--accent); }
        .soft { color: var(--soft); }
        code { font-family: ui-monospace, "SF Mono", Menlo, Consolas, "Noto Sans Mono", monospace; font-size: 0.92em; }
        @media print { li, h2, .excerpt { break-inside: avoid; } h2 { break-after: avoid; } .excerpt { break-after: avoid; } }

        """;

    // Pictures lie beside the page; a page opened from a disk has no origin that 'self' could name. The empty icon is data.
    private static readonly string policy =
        $"default-src 'none'; img-src 'self' file: data:; style-src 'sha256-{Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(Css)))}'; base-uri 'none'; form-action 'none'";

    /// <summary>Whether any figure has candidates.</summary>
    public static bool IsWanted(Article article)
    {
        ArgumentNullException.ThrowIfNull(article);
        return article.Sections.Any(section => section.Figure is { Candidates.Count: > 0 });
    }

    /// <summary>Writes the page as UTF-8 with line feeds.</summary>
    public static void Write(Article article, Stream stream)
    {
        ArgumentNullException.ThrowIfNull(article);
        ArgumentNullException.ThrowIfNull(stream);
        string title = ArticleLayout.Of(article).Title;
        using StreamWriter page = new(stream, new UTF8Encoding(encoderShouldEmitUTF8Identifier: false), leaveOpen: true) { NewLine = "\n" };
        string heading = title.Length > 0 ? $"Candidates: {title}" : "Candidates";
        page.WriteLine("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">");
        page.WriteLine($"<meta http-equiv=\"Content-Security-Policy\" content=\"{policy}\">");
        page.WriteLine("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<meta name=\"referrer\" content=\"no-referrer\">");
        page.WriteLine($"<title>{HtmlText.Escape(heading)}</title>\n<link rel=\"icon\" href=\"data:,\">\n<style>{Css}</style>\n</head>\n<body>\n<main>");
        page.WriteLine($"<header>\n<h1>{HtmlText.Escape(heading)}</h1>\n<p>Percentages are the model’s probability of each candidate. To show another one: <code>xc2 edit --article DIR --section N --op choose-figure --candidate N</code></p>\n</header>");
        foreach ((int index, ArticleSection section) in article.Sections.Index())
            if (section.Figure is { Candidates.Count: > 0 } figure)
                WriteFigure(page, index, section, figure);
        page.WriteLine("</main>\n</body>\n</html>");
    }

    private static void WriteFigure(StreamWriter page, int index, ArticleSection section, ArticleFigure figure)
    {
        string caption = EmphasisReader.Plain(CaptionText.Clean(figure.Caption)), text = EmphasisReader.Plain(CaptionText.Clean(section.Text).TrimStart('#', ' ')), excerpt = CaptionText.Clean(text, ExcerptLength);
        page.WriteLine($"<section>\n<h2>Figure after section {index + 1}{(caption.Length > 0 ? $": {HtmlText.Escape(caption)}" : "")}</h2>");
        page.WriteLine($"<p class=\"excerpt\">{HtmlText.Escape(excerpt)}{(excerpt.Length < text.Length ? " …" : "")}</p>\n<ol>");
        for (int candidate = 0; candidate < figure.Candidates.Count; candidate++)
            WriteCandidate(page, figure.Candidates[candidate], candidate, figure.Scores.Count > 0 ? figure.Scores[candidate] : default, candidate == figure.ChosenIndex);
        page.WriteLine("</ol>\n</section>");
    }

    private static void WriteCandidate(StreamWriter page, ArticlePicture picture, int index, CandidateScore score, bool isChosen)
    {
        string name = CaptionText.Clean(picture.Name), description = CaptionText.Clean(picture.Caption ?? "");
        page.WriteLine($"<li{(isChosen ? " class=\"chosen\"" : "")}>");
        page.WriteLine($"<div class=\"picture\"><img alt=\"{HtmlText.Escape(description.Length > 0 ? description : name)}\" loading=\"lazy\" src=\"{ArticleFolder.PicturesFolder}/{picture.FileName}\"></div>");
        page.WriteLine($"<div class=\"text\">\n<div class=\"number\"><span>Candidate {index + 1}</span><span>{(isChosen ? "chosen" : "")}</span></div>");
        if (score.Probability is { } probability)
            page.WriteLine(string.Create(CultureInfo.InvariantCulture, $"<progress max=\"1\" value=\"{probability:0.####}\"></progress>\n<p>Model {CandidateText.Percent(probability)}{(score.Rank is { } rank ? $", search rank {rank}" : "")}</p>"));
        else if (score.Rank is { } only)
            page.WriteLine(string.Create(CultureInfo.InvariantCulture, $"<p>Search rank {only}</p>"));
        page.WriteLine($"<p>{HtmlText.Escape(name)} <span class=\"soft\">of {HtmlText.Escape(CaptionText.Clean(picture.Source))}</span></p>");
        if (description.Length > 0)
            page.WriteLine($"<p class=\"soft\">{HtmlText.Escape(description)}</p>");
        page.WriteLine("</div>\n</li>");
    }
}

/// <summary>Describes the choice of a figure in one sentence.</summary>
public static class CandidateText
{
    /// <summary>The chosen picture, and the others with their scores; for example "b.png of art (candidate 2 of 2, 62 %), not a.png (candidate 1, 30 %)".</summary>
    /// <param name="figure">A figure with candidates.</param>
    public static string Choice(ArticleFigure figure)
    {
        ArgumentNullException.ThrowIfNull(figure);
        if (figure.ChosenIndex is not { } chosen)
            return $"no picture of {figure.Candidates.Count} candidates";
        ArticlePicture picture = figure.Candidates[chosen];
        string text = $"{picture.Name} of {picture.Source}";
        if (figure.Candidates.Count == 1)
            return $"{text}, the only candidate";
        IEnumerable<string> others = Enumerable.Range(0, figure.Candidates.Count).Where(index => index != chosen).Select(index => $"{figure.Candidates[index].Name} (candidate {index + 1}{Score(figure, index)})");
        return $"{text} (candidate {chosen + 1} of {figure.Candidates.Count}{Score(figure, chosen)}), not {string.Join(", ", others)}";
    }

    /// <summary>A probability in percent.</summary>
    /// <param name="probability">0 to 1.</param>
    public static string Percent(float probability) => probability switch
    {
        < 0.001f => "under 0.1 %",
        < 0.095f => string.Create(CultureInfo.InvariantCulture, $"{100 * probability:0.0} %"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{100 * probability:0} %"),
    };

    private static string Score(ArticleFigure figure, int index) => figure.Scores.Count > 0 && figure.Scores[index].Probability is { } probability ? $", {Percent(probability)}" : "";
}
