using Microsoft.AspNetCore.Http;
using XComposer2.Native.Composition;
using XComposer2.Native.Composition.Pictures;

namespace XComposer2.Native.Server;

/// <summary>Articles by the model: <c>/v1/xc2/outline</c>, <c>/v1/xc2/compose</c>, and what changes an article. COMPOSE-API.md is the contract.</summary>
internal sealed class ComposeEndpoint(ServerState server)
{
    private const string EditAction = "/edit", ResumeAction = "/resume";

    public IEnumerable<Route> Routes =>
    [
        new("POST", ArticleEndpoints.Prefix + "/outline", OutlineAsync), new("POST", ArticleEndpoints.Prefix + "/compose", ComposeAsync), new("POST", ArticleEndpoints.ArticlesPath, ChangeAsync),
    ];

    private async Task OutlineAsync(HttpContext context)
    {
        LoadedEngine engine = server.Ready;
        using ApiRequest request = await ApiRequest.ReadAsync(context, server).ConfigureAwait(false);
        var fields = new CompositionFields(request);
        (string title, IReadOnlyList<string> material) = (fields.Title, fields.Material);
        using RequestGate.Admission admission = engine.Gate.Enter(1);
        using var composer = new ArticleComposer(engine.Engine, fields.Options(isEdit: false));
        try
        {
            await request.RespondAsync(new OutlineJson(await composer.OutlineAsync(title, material, fields.Seed, request.Ended).ConfigureAwait(false), fields.Seed), ArticlesJson.Lines.OutlineJson).ConfigureAwait(false);
        }
        catch (OperationCanceledException failure)
        {
            throw request.Explain(failure);
        }
        catch (EngineException unusable)
        {
            throw new ApiException(422, ApiException.InvalidRequest, unusable.Message) { Code = "step_failed" };
        }
    }

    private async Task ComposeAsync(HttpContext context)
    {
        LoadedEngine engine = server.Ready;
        ArticleStore store = ArticleEndpoints.Require(server);
        using ApiRequest request = await ApiRequest.ReadAsync(context, server).ConfigureAwait(false);
        var fields = new CompositionFields(request);
        ComposerOptions options = fields.Options(isEdit: false);
        int? figures = fields.Figures(minimum: 0);
        PictureOptions storage = fields.Storage();
        // What has no place in the queue decodes no pictures.
        using RequestGate.Admission admission = engine.Gate.Enter(1);
        using var composer = new ArticleComposer(engine.Engine, options);
        (string instruction, string title) = fields.Subject(composer.EnglishPrompt);
        IReadOnlyList<ArticlePicture> pictures = await fields.PicturesAsync(storage).ConfigureAwait(false);
        if (figures is > 0 or ArticleRequest.AutomaticFigures && pictures.Count == 0 && server.Sources.Name is null)
            throw ApiException.Invalid("figures", "figures: there are neither pictures in the request nor a gallery on the server");
        var article = new Article { Instruction = instruction, Title = title, Model = engine.Name, Seed = fields.Seed, OwnPictures = pictures, Pictures = storage };
        using OpenArticle opened = store.Create(article, new CompositionProgress(null, figures, ComposerSettings.Of(options)));
        await RunAsync(request, opened, fields.IsStream, composer).ConfigureAwait(false);
    }

    private async Task ChangeAsync(HttpContext context)
    {
        (string id, string action) = ArticleEndpoints.Parts(context);
        if (action is not (EditAction or ResumeAction))
            throw ArticleEndpoints.Unknown(context);
        LoadedEngine engine = server.Ready;
        ArticleStore store = ArticleEndpoints.Require(server);
        using ApiRequest request = await ApiRequest.ReadAsync(context, server).ConfigureAwait(false);
        var fields = new CompositionFields(request);
        using OpenArticle opened = store.Open(id);
        if (action == EditAction)
            await EditAsync(request, engine, fields, opened).ConfigureAwait(false);
        else
            await ResumeAsync(request, engine, fields, opened).ConfigureAwait(false);
    }

    private async Task ResumeAsync(ApiRequest request, LoadedEngine engine, CompositionFields fields, OpenArticle opened)
    {
        if (opened.Progress is not { } progress)
            throw new ApiException(409, ApiException.InvalidRequest, "the article is complete") { Code = "article_complete" };
        if (request.Fields.Flag("finish"))
        {
            var run = new CompositionRun(request, opened, fields.IsStream ? await BeginAsync(request).ConfigureAwait(false) : null);
            await run.FinishAsync().ConfigureAwait(false);
            return;
        }

        using RequestGate.Admission admission = engine.Gate.Enter(1);
        using var composer = new ArticleComposer(engine.Engine, progress.Settings.ToOptions());
        await RunAsync(request, opened, fields.IsStream, composer).ConfigureAwait(false);
    }

    private async Task RunAsync(ApiRequest request, OpenArticle opened, bool isStream, ArticleComposer composer)
    {
        EventStream? stream = isStream ? await BeginAsync(request).ConfigureAwait(false) : null;
        var run = new CompositionRun(request, opened, stream);
        await run.TellAsync().ConfigureAwait(false);
        bool searches = opened.Progress!.Figures != 0 && opened.History.Current.OwnPictures.Count == 0;
        await run.ComposeAsync(composer, searches ? await SourceAsync(request, stream).ConfigureAwait(false) : null).ConfigureAwait(false);
    }

    private async Task EditAsync(ApiRequest request, LoadedEngine engine, CompositionFields fields, OpenArticle opened)
    {
        if (opened.Progress is not null)
            throw new ApiException(409, ApiException.InvalidRequest, "the composition of the article is not finished: resume it first") { Code = "article_incomplete" };
        ArticleHistory before = opened.History;
        ArticleEdit edit = await fields.EditAsync(before.Current.Pictures).ConfigureAwait(false);
        ComposerOptions options = fields.Options(isEdit: true);
        ArticleHistory? changed = Checked<ArticleHistory?>(() =>
        {
            edit.Require(before.Current);
            return edit.NeedsModel ? null : edit.Apply(before);
        });
        if (changed is not null)
        {
            var saving = new CompositionRun(request, opened, fields.IsStream ? await BeginAsync(request).ConfigureAwait(false) : null);
            await saving.ApplyAsync(edit, changed).ConfigureAwait(false);
            return;
        }

        bool searches = ArticleEdit.OperandsOf(edit.Operation).Taken.HasFlag(EditOperands.Source);
        if (searches && server.Sources.Name is null && (edit.Operation == ArticleOperation.FindFigure || before.Current.OwnPictures.Count == 0))
            throw ApiException.Invalid("op", $"{ArticleEdit.NameOf(edit.Operation)} needs a gallery on the server");
        using RequestGate.Admission admission = engine.Gate.Enter(1);
        using var composer = new ArticleComposer(engine.Engine, options);
        EventStream? stream = fields.IsStream ? await BeginAsync(request).ConfigureAwait(false) : null;
        PictureSource? source = searches ? await SourceAsync(request, stream).ConfigureAwait(false) : null;
        await new CompositionRun(request, opened, stream).EditAsync(composer, edit, source, fields.Seed).ConfigureAwait(false);
    }

    private async Task<EventStream> BeginAsync(ApiRequest request)
    {
        var stream = new EventStream(request.Http.Response, server.Options.KeepAlive);
        await stream.BeginAsync().ConfigureAwait(false);
        return stream;
    }

    private async Task<PictureSource?> SourceAsync(ApiRequest request, EventStream? stream)
    {
        Task<PictureSource?> opening = server.Sources.GetAsync(request.Ended);
        try
        {
            return await (stream is null ? opening : stream.WaitAsync(opening, request.Ended)).ConfigureAwait(false);
        }
        catch (OperationCanceledException failure)
        {
            throw request.Explain(failure);
        }
    }

    // What an article lacks is the client's mistake.
    private static T Checked<T>(Func<T> action)
    {
        try
        {
            return action();
        }
        catch (Exception mistake) when (mistake is EngineException or ArgumentException)
        {
            throw ApiException.Invalid(null, mistake.Message);
        }
    }
}
