using XComposer2.Native.Composition;
using XComposer2.Native.Composition.Pictures;
using XComposer2.Native.Composition.Storage;

namespace XComposer2.Native.Server;

/// <summary>Runs the steps of one request on an open article: every change is saved, then told.</summary>
/// <param name="request">Not owned.</param>
/// <param name="article">Released before its end is told.</param>
/// <param name="stream">Gets an event for each step; null for none.</param>
internal sealed class CompositionRun(ApiRequest request, OpenArticle article, EventStream? stream)
{
    /// <summary>Tells the state of the article as it is saved.</summary>
    public Task TellAsync() => SendAsync(article.ToJson(), "article");

    /// <summary>Runs a composition from where it is to its end.</summary>
    /// <param name="composer">With the settings of the composition.</param>
    /// <param name="source">Null for none.</param>
    public async Task ComposeAsync(ArticleComposer composer, PictureSource? source)
    {
        Article current = article.History.Current;
        CompositionProgress progress = article.Progress!;
        if (progress.FinishedSteps is null)
        {
            // The text is written again from its beginning, with the same seed: what is on disk stays there until as much is written.
            int known = current.Sections.Count;
            var asked = new ArticleRequest { Instruction = current.Instruction, Title = current.Title, OwnPictures = current.OwnPictures, Pictures = current.Pictures, Seed = current.Seed };
            Article written = current;
            await RunAsync(composer.WriteAsync(asked, request.Ended), null, async changed =>
            {
                written = changed;
                if (changed.Sections.Count >= known)
                    await SaveAsync(changed).ConfigureAwait(false);
            }).ConfigureAwait(false);
            current = written;
            if (!ReferenceEquals(article.History.Current, written))
                await SaveAsync(written).ConfigureAwait(false);
        }

        if (progress.Figures != 0 && (current.OwnPictures.Count > 0 || source is not null))
        {
            bool hasOwn = current.OwnPictures.Count > 0;
            int reached = progress.FinishedSteps ?? 0;
            article.Note(progress with { FinishedSteps = reached });
            await RunAsync(composer.FiguresAsync(current, reached, progress.Figures, source, current.Seed, request.Ended), step =>
            {
                int begun = FinishedBefore(step.Step, hasOwn);
                if (begun > reached)
                    article.Note(progress with { FinishedSteps = reached = begun });
            }, SaveAsync).ConfigureAwait(false);
        }

        await FinishAsync().ConfigureAwait(false);
    }

    /// <summary>Declares the article complete as it is.</summary>
    public Task FinishAsync()
    {
        article.Save(article.History);
        article.Note(null);
        return EndAsync([]);
    }

    /// <summary>Makes a change with the model.</summary>
    public async Task EditAsync(ArticleComposer composer, ArticleEdit edit, PictureSource? source, ulong seed)
    {
        ArticleHistory before = article.History;
        Article changed = before.Current;
        await RunAsync(composer.ApplyAsync(before.Current, edit, source, seed, request.Ended), null, next =>
        {
            changed = next;
            return Task.CompletedTask;
        }).ConfigureAwait(false);
        await ApplyAsync(edit, before.Apply(edit.Change, changed)).ConfigureAwait(false);
    }

    /// <summary>Saves a change.</summary>
    public Task ApplyAsync(ArticleEdit edit, ArticleHistory changed)
    {
        ArticleHistory before = article.History;
        article.Save(changed);
        return EndAsync(EditSummary.Of(edit, before, changed));
    }

    // Steps after the text that are finished when this one begins.
    private static int FinishedBefore(CompositionStep step, bool hasOwn) => step switch
    {
        CompositionStep.Choose => hasOwn ? 1 : 2,
        CompositionStep.Caption => hasOwn ? 2 : 1,
        CompositionStep.Search => 2,
        _ => 0,
    };

    private async Task SaveAsync(Article changed)
    {
        article.SaveState(changed);
        await TellAsync().ConfigureAwait(false);
    }

    private async Task EndAsync(IReadOnlyList<string> changes)
    {
        var end = new ArticleChangeJson(article.ToJson(), changes);
        // Whoever is told may ask for the next change at once.
        article.Dispose();
        if (stream is null)
            await request.RespondAsync(end, ArticlesJson.Lines.ArticleChangeJson).ConfigureAwait(false);
        else
            await stream.SendAsync(end, ArticlesJson.Lines.ArticleChangeJson, "done").ConfigureAwait(false);
    }

    private Task SendAsync(ArticleJson state, string name) => stream?.SendAsync(state, ArticlesJson.Lines.ArticleJson, name) ?? Task.CompletedTask;

    private async Task RunAsync(IAsyncEnumerable<CompositionEvent> events, Action<StepStarted>? begins, Func<Article, Task> changed)
    {
        IAsyncEnumerator<CompositionEvent> running = events.GetAsyncEnumerator(request.Ended);
        Task<bool>? pending = null;
        try
        {
            while (await NextAsync(pending = running.MoveNextAsync().AsTask()).ConfigureAwait(false))
                switch (running.Current)
                {
                    case StepStarted step:
                        begins?.Invoke(step);
                        if (stream is not null)
                            await stream.SendAsync(new StepJson(ArticleJson.Lower(step.Step.ToString()), step.Number, step.Total, step.Subject), ArticlesJson.Lines.StepJson, "step").ConfigureAwait(false);
                        break;
                    case TextWritten written when stream is not null:
                        await stream.SendAsync(new WrittenJson(written.Text), ArticlesJson.Lines.WrittenJson, "text").ConfigureAwait(false);
                        break;
                    case ArticleChanged next:
                        await changed(next.Article).ConfigureAwait(false);
                        break;
                }
        }
        catch (OperationCanceledException failure)
        {
            throw request.Explain(failure);
        }
        catch (EngineException unusable)
        {
            throw new ApiException(422, ApiException.InvalidRequest, unusable.Message) { Code = "step_failed" };
        }
        finally
        {
            // A step that still runs ends with its request; only then may it be disposed.
            if (pending is { IsCompleted: false })
            {
                request.Cancel();
                await ((Task)pending).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }

            await running.DisposeAsync().ConfigureAwait(false);
        }
    }

    private Task<bool> NextAsync(Task<bool> pending) => stream is null ? pending : stream.WaitAsync(pending, request.Ended);
}
