using System.Globalization;
using System.Text;
using XComposer2.Native.Composition;

namespace XComposer2.Native.Cli;

/// <summary>An article as text: numbered sections with their figures, and its changes.</summary>
internal static class ArticleListing
{
    public static string Of(ArticleHistory history)
    {
        StringBuilder text = new();
        foreach ((int index, ArticleSection section) in history.Current.Sections.Index())
        {
            text.Append(CultureInfo.InvariantCulture, $"{index + 1,3}  {section.Text}\n");
            if (section.Figure is { } figure)
                text.Append(CultureInfo.InvariantCulture, $"     [{Describe(figure)}]\n");
        }

        return text.Append("changes: ").AppendJoin(", ", history.States.Select((state, index) => index > history.CurrentIndex ? $"({state.Change}: undone)" : state.Change)).Append('\n').ToString();
    }

    private static string Describe(ArticleFigure figure)
    {
        string caption = figure.Caption.Length > 0 ? $"figure: {figure.Caption}; " : "figure: ";
        return figure.Picture is { } picture
            ? string.Create(CultureInfo.InvariantCulture, $"{caption}{picture.Name} of {picture.Source}, {figure.ChosenIndex + 1} of {figure.Candidates.Count}")
            : $"{caption}no picture yet";
    }
}
