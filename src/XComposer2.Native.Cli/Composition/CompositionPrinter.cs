using XComposer2.Native.Composition;

namespace XComposer2.Native.Cli;

/// <summary>Shows a composition in progress: text on standard output; steps on standard error, as a live line on a terminal and as lines elsewhere.</summary>
/// <param name="console">The streams.</param>
/// <param name="isSilent">Omits the text, which a report will contain.</param>
internal sealed class CompositionPrinter(CliConsole console, bool isSilent)
{
    private string waitingFor = "";
    private bool isWriting;
    private bool isLineOpen;

    /// <summary>The last reported article, even after a failure or cancellation.</summary>
    public Article? Article { get; private set; }

    public async Task RunAsync(IAsyncEnumerable<CompositionEvent> events)
    {
        IAsyncEnumerator<CompositionEvent> running = events.GetAsyncEnumerator();
        await using (running.ConfigureAwait(false))
        {
            try
            {
                while (await NextAsync(running).ConfigureAwait(false))
                    Show(running.Current);
            }
            finally
            {
                EndLine();
            }
        }
    }

    /// <summary>Prints figures, notes and totals.</summary>
    public void Summarise(string folder)
    {
        if (Article is not { } article)
            return;
        foreach ((int index, ArticleSection section) in article.Sections.Index())
            if (section.Figure is { Picture: not null } figure)
                console.Hint(TerminalText.OneLine(EditSummary.Figure(index, figure)));
        PrintNotes(article.Notes);
        if (article.Sections.Any(section => section.Figure is { Candidates.Count: > 1 }))
            console.Hint(TerminalText.OneLine($"candidates of the figures: {Path.Combine(folder, CandidatesPage.FileName)}"));
        int figures = article.Sections.Count(section => section.Figure?.Picture is not null);
        console.Hint(TerminalText.OneLine($"{Count(article.Sections.Count, "section")}, {Count(figures, "figure")}, seed {article.Seed}: {folder}"));
    }

    public void PrintNotes(IEnumerable<ArticleNote> notes)
    {
        foreach (ArticleNote note in notes)
            console.Hint($"note: {TerminalText.OneLine(note.Text)}");
    }

    private static string Count(int count, string noun) => $"{count} {noun}{(count == 1 ? "" : "s")}";

    private static string Label(StepStarted step) => step.Step switch
    {
        CompositionStep.Write => "writing",
        CompositionStep.Place => "choosing places for figures",
        CompositionStep.Caption => $"writing caption {step.Number} of {step.Total}",
        CompositionStep.Search => $"searching for picture {step.Number} of {step.Total}: {step.Subject}",
        CompositionStep.Choose => $"choosing picture {step.Number} of {step.Total}",
        _ => "editing",
    };

    private async Task<bool> NextAsync(IAsyncEnumerator<CompositionEvent> running)
    {
        // While text is streamed, the cursor is in its line and no live line may be drawn.
        return isWriting || waitingFor.Length == 0
            ? await running.MoveNextAsync().ConfigureAwait(false)
            : await console.WaitAsync(waitingFor, running.MoveNextAsync().AsTask()).ConfigureAwait(false);
    }

    private void Show(CompositionEvent next)
    {
        switch (next)
        {
            case StepStarted step:
                EndLine();
                isWriting = false;
                waitingFor = Spectre.Console.Markup.Escape(TerminalText.OneLine(Label(step)));
                if (!console.ErrorIsTerminal)
                    console.Hint(TerminalText.OneLine(Label(step)));
                break;
            case TextWritten written when !isSilent:
                isWriting = true;
                console.Say(written.Text);
                isLineOpen = !written.Text.EndsWith('\n');
                break;
            case ArticleChanged changed:
                Article = changed.Article;
                break;
        }
    }

    private void EndLine()
    {
        if (isLineOpen)
            console.Say("\n");
        isLineOpen = false;
    }
}
