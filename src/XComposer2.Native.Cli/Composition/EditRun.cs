using System.Text.Json;
using XComposer2.Native.Composition;

namespace XComposer2.Native.Cli;

/// <summary>One run of <c>xc2 edit</c>: changes an article or lists its sections.</summary>
internal sealed class EditRun(CliServices services, EditRequest request)
{
    private readonly CliConsole console = services.Console;

    private EditOperation Operation => request.Operation!.Value;

    private int Index => request.Section!.Value - 1;

    public async Task<int> RunAsync(CancellationToken cancellationToken)
    {
        string folder = request.Folder ?? throw new UsageException("--article is missing: the folder of an article");
        EditRules.Require(request);
        // Held until the change is saved: of two changes of the same article one would be lost.
        using ArticleLock? turn = request.Operation is null ? null : await ArticleFolder.LockAsync(
            folder, () => console.Hint(TerminalText.OneLine($"xc2: {folder}: waiting for another xc2 that is changing this article ...")), cancellationToken).ConfigureAwait(false);
        ArticleHistory history = ArticleFolder.Open(folder);
        IReadOnlyList<string> done = [];
        if (request.Operation is not null)
        {
            // All checks that need no model come before loading it.
            ArticleFolder.RequireWritable(folder, ArticleOutput.Standard);
            RequireOperands(history.Current);
            ArticleHistory before = history.WithPictures(request.Storage ?? history.Current.Pictures);
            history = Operation switch
            {
                EditOperation.Undo => before.Undo(),
                EditOperation.Redo => before.Redo(),
                _ => before.Apply(Change(), await ChangeAsync(before.Current, cancellationToken).ConfigureAwait(false)),
            };
            using Interrupts.SaveScope saving = services.Interrupts.BeginSaving();
            ArticleSaving.Save(console, history, folder, (changed, outputs) =>
            {
                ArticleFolder.Save(folder, changed, outputs, turn);
                return folder;
            });
            done = EditSummary.Of(request, before, history);
        }

        foreach (string sentence in done)
            console.Hint(TerminalText.OneLine(sentence));
        if (request.Json)
            console.Say(JsonSerializer.Serialize(ArticleReportJson.Of(folder, history, done), CliJson.Lines.ArticleReportJson) + "\n");
        else if (request.Operation is null or EditOperation.Undo or EditOperation.Redo)
            console.Say(ArticleListing.Of(history));
        return ExitCode.Done;
    }

    /// <exception cref="EngineException">The article lacks the section or figure.</exception>
    private void RequireOperands(Article article)
    {
        if (request.Section > article.Sections.Count)
            throw new EngineException($"section: expected 1 to {article.Sections.Count}, found {request.Section}");
        if (request.Target > article.Sections.Count)
            throw new EngineException($"new place: expected 1 to {article.Sections.Count}, found {request.Target}");
        if (Operation is EditOperation.ChooseFigure or EditOperation.SetCaption && article.Sections[Index].Figure is not { Candidates.Count: > 0 })
            throw new EngineException($"section {request.Section} has no figure with candidates");
        if (Operation == EditOperation.Illustrate && article.OwnPictures.Count == 0 && request.Pictures.IsNone)
            throw new UsageException("--op illustrate needs --gallery or --picture-service: the article has no own pictures");
    }

    private string Change() => request.Section is { } section ? $"{EditRules.Name(Operation)} {section}" : EditRules.Name(Operation);

    private async Task<Article> ChangeAsync(Article article, CancellationToken cancellationToken) => Operation switch
    {
        EditOperation.SetText => article.WithMarkdown(Index, request.Instruction!),
        EditOperation.RemoveSection => article.WithText(Index, ""),
        EditOperation.MoveSection => article.WithMoved(Index, request.Target!.Value - 1),
        EditOperation.SetTitle => article.WithTitle(request.Title!),
        EditOperation.SetCaption when request.Caption is not null || request.AlternativeText is not null => article.WithCaption(Index, request.Caption, request.AlternativeText),
        EditOperation.RemoveFigure => article.WithoutFigure(Index),
        EditOperation.ReplaceFigure => article.WithFigure(Index, new ArticleFigure
        {
            Caption = request.Caption ?? article.Sections[Index].Figure?.Caption ?? "",
            AlternativeText = request.AlternativeText ?? "",
            Candidates = await OwnPictures.ReadAsync(request.Reader, [request.Image!], request.Orientation, article.Pictures, cancellationToken).ConfigureAwait(false),
            ChosenIndex = 0,
        }),
        EditOperation.ChooseFigure when request.Candidate is { } candidate => article.WithChosen(Index, candidate - 1),
        _ => await AskAsync(article, cancellationToken).ConfigureAwait(false),
    };

    private async Task<Article> AskAsync(Article article, CancellationToken cancellationToken)
    {
        request.Pictures.RequirePictures(cancellationToken);
        ModelFolder model = ModelFolder.Choose(request.ModelPath, services.Variable, AppContext.BaseDirectory);
        using ComposerConnection connection = await ComposerLoading.LoadAsync(services, model, request.Engine, request.Composer, request.Verbose, cancellationToken).ConfigureAwait(false);
        using OpenedPictureSource pictures = await OpenedPictureSource.OpenAsync(request.Pictures, connection.Pictures, console, cancellationToken).ConfigureAwait(false);
        ulong seed = request.Seed ?? (ulong)Random.Shared.Next(1, 1_000_000_000);
        ArticleComposer composer = connection.Composer;
        IAsyncEnumerable<CompositionEvent> events = Operation switch
        {
            EditOperation.ChooseFigure => composer.ChooseAsync(article, Index, seed, cancellationToken),
            EditOperation.SetCaption => composer.DescribeAsync(article, Index, seed, cancellationToken),
            EditOperation.Illustrate => composer.FiguresAsync(article, request.Figures, pictures.Source, seed, cancellationToken),
            EditOperation.FindFigure => composer.FindAsync(article, Index, request.Caption ?? "", pictures.Source!, seed, cancellationToken),
            _ => composer.EditAsync(article, Index, EditRules.Section(Operation), request.Instruction ?? "", seed, cancellationToken),
        };
        CompositionPrinter printer = new(console, isSilent: request.Json);
        await printer.RunAsync(events).ConfigureAwait(false);
        Article changed = printer.Article!;
        printer.PrintNotes(changed.Notes.Except(article.Notes));
        return changed;
    }
}
