using System.Text.Json;
using XComposer2.Native.Composition;

namespace XComposer2.Native.Cli;

/// <summary>One run of <c>xc2 edit</c>: changes an article or lists its sections.</summary>
internal sealed class EditRun(CliServices services, EditRequest request)
{
    private readonly CliConsole console = services.Console;

    public async Task<int> RunAsync(CancellationToken cancellationToken)
    {
        string folder = request.Folder ?? throw new UsageException("--article is missing: the folder of an article");
        EditRules.Require(request);
        // Held until the change is saved: of two changes of the same article one would be lost.
        using ArticleLock? turn = request.Edit is null ? null : await ArticleFolder.LockAsync(
            folder, () => console.Hint(TerminalText.OneLine($"xc2: {folder}: waiting for another xc2 that is changing this article ...")), cancellationToken).ConfigureAwait(false);
        ArticleHistory history = ArticleFolder.Open(folder);
        IReadOnlyList<string> done = [];
        if (request.Edit is { } asked)
        {
            // All checks that need no model come before loading it.
            ArticleFolder.RequireWritable(folder, ArticleOutput.Standard);
            ArticleEdit edit = await ReadAsync(asked, history.Current, cancellationToken).ConfigureAwait(false);
            ArticleHistory before = history.WithPictures(request.Storage ?? history.Current.Pictures);
            history = edit.NeedsModel ? before.Apply(edit.Change, await AskAsync(before.Current, edit, cancellationToken).ConfigureAwait(false)) : edit.Apply(before);
            using Interrupts.SaveScope saving = services.Interrupts.BeginSaving();
            ArticleSaving.Save(console, history, folder, (changed, outputs) =>
            {
                ArticleFolder.Save(folder, changed, outputs, turn);
                return folder;
            });
            done = EditSummary.Of(edit, before, history);
            if (edit.Operation == ArticleOperation.ReplaceFigure && history.Current.Sections[edit.Section!.Value - 1].Figure is { Caption.Length: 0 })
                done = [.. done, "the figure has no caption: --op set-caption writes one"];
        }

        foreach (string sentence in done)
            console.Hint(TerminalText.OneLine(sentence));
        if (request.Json)
            console.Say(JsonSerializer.Serialize(ArticleReportJson.Of(folder, history, done), CliJson.Lines.ArticleReportJson) + "\n");
        else if (request.Edit?.Operation is null or ArticleOperation.Undo or ArticleOperation.Redo)
            console.Say(ArticleListing.Of(history));
        return ExitCode.Done;
    }

    // Checks the change, and reads its picture.
    private async Task<ArticleEdit> ReadAsync(ArticleEdit edit, Article article, CancellationToken cancellationToken)
    {
        edit.Require(article);
        if (edit.Operation == ArticleOperation.Illustrate && article.OwnPictures.Count == 0 && request.Pictures.IsNone)
            throw new UsageException("--op illustrate needs --gallery or --picture-service: the article has no own pictures");
        return request.Image is not { } image
            ? edit
            : edit with { Picture = (await OwnPictures.ReadAsync(request.Reader, [image], request.Orientation, request.Storage ?? article.Pictures, cancellationToken).ConfigureAwait(false))[0] };
    }

    private async Task<Article> AskAsync(Article article, ArticleEdit edit, CancellationToken cancellationToken)
    {
        request.Pictures.RequirePictures(cancellationToken);
        ModelFolder model = ModelFolder.Choose(request.ModelPath, services.Variable, AppContext.BaseDirectory);
        using ComposerConnection connection = await ComposerLoading.LoadAsync(services, model, request.Engine, request.Composer, request.Verbose, cancellationToken).ConfigureAwait(false);
        using OpenedPictureSource pictures = await OpenedPictureSource.OpenAsync(request.Pictures, connection.Pictures, console, cancellationToken).ConfigureAwait(false);
        ulong seed = request.Seed ?? (ulong)Random.Shared.Next(1, 1_000_000_000);
        CompositionPrinter printer = new(console, isSilent: request.Json);
        await printer.RunAsync(connection.Composer.ApplyAsync(article, edit, pictures.Source, seed, cancellationToken)).ConfigureAwait(false);
        Article changed = printer.Article!;
        printer.PrintNotes(changed.Notes.Except(article.Notes));
        return changed;
    }
}
