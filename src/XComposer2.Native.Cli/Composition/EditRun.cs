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
        if (request.Operation is not null)
        {
            RequireSection(history.Current);
            history = Operation switch
            {
                EditOperation.Undo => history.Undo(),
                EditOperation.Redo => history.Redo(),
                _ => history.Apply(Change(), await ChangeAsync(history.Current, cancellationToken).ConfigureAwait(false)),
            };
            using Interrupts.SaveScope saving = services.Interrupts.BeginSaving();
            ArticleSaving.Save(console, history, folder, (changed, outputs) =>
            {
                ArticleFolder.Save(folder, changed, outputs, turn);
                return folder;
            });
        }

        if (request.Json)
            console.Say(JsonSerializer.Serialize(ArticleReportJson.Of(folder, history), CliJson.Lines.ArticleReportJson) + "\n");
        else if (request.Operation is null or EditOperation.Undo or EditOperation.Redo)
            console.Say(ArticleListing.Of(history));
        return ExitCode.Done;
    }

    private void RequireSection(Article article)
    {
        if (request.Section > article.Sections.Count)
            throw new EngineException($"section: expected 1 to {article.Sections.Count}, found {request.Section}");
    }

    private string Change() => request.Section is { } section ? $"{EditRules.Name(Operation)} {section}" : EditRules.Name(Operation);

    private async Task<Article> ChangeAsync(Article article, CancellationToken cancellationToken) => Operation switch
    {
        EditOperation.SetText => article.WithText(Index, request.Instruction!),
        EditOperation.RemoveSection => article.WithText(Index, ""),
        EditOperation.RemoveFigure => article.WithoutFigure(Index),
        EditOperation.ReplaceFigure => article.WithFigure(Index, new ArticleFigure
        {
            Caption = request.Caption ?? article.Sections[Index].Figure?.Caption ?? "",
            Candidates = await OwnPictures.ReadAsync(request.Reader, [request.Image!], request.Orientation, cancellationToken).ConfigureAwait(false),
            ChosenIndex = 0,
        }),
        EditOperation.ChooseFigure when request.Candidate is { } candidate => article.WithFigure(Index, FigureOf(article) with { ChosenIndex = candidate - 1 }),
        _ => await AskAsync(article, cancellationToken).ConfigureAwait(false),
    };

    private ArticleFigure FigureOf(Article article) =>
        article.Sections[Index].Figure ?? throw new EngineException($"section {request.Section} has no figure with candidates");

    private async Task<Article> AskAsync(Article article, CancellationToken cancellationToken)
    {
        if (Operation == EditOperation.Illustrate && article.OwnPictures.Count == 0 && request.Pictures.IsNone)
            throw new UsageException("--op illustrate needs --gallery or --picture-service: the article has no own pictures");
        ModelFolder model = ModelFolder.Choose(request.ModelPath, services.Variable, AppContext.BaseDirectory);
        using ComposerConnection connection = await ComposerLoading.LoadAsync(services, model, request.Engine, request.Composer, request.Verbose, cancellationToken).ConfigureAwait(false);
        using OpenedPictureSource pictures = await OpenedPictureSource.OpenAsync(request.Pictures, connection.Pictures, console, cancellationToken).ConfigureAwait(false);
        ulong seed = request.Seed ?? (ulong)Random.Shared.Next(1, 1_000_000_000);
        ArticleComposer composer = connection.Composer;
        IAsyncEnumerable<CompositionEvent> events = Operation switch
        {
            EditOperation.ChooseFigure => composer.ChooseAsync(article, Index, seed, cancellationToken),
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
