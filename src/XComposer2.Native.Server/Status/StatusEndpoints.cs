using Microsoft.AspNetCore.Http;
using XComposer2.Native.Composition;
using XComposer2.Native.Model;

namespace XComposer2.Native.Server;

/// <summary>What the server is and how it is: <c>/health</c>, <c>/v1/models</c>, <c>/props</c>, <c>/metrics</c>.</summary>
internal sealed class StatusEndpoints(ServerState server)
{
    private const string ModelsPath = "/v1/models";

    public IEnumerable<Route> Routes =>
    [
        new("GET", "/health", HealthAsync, IsOpen: true), new("GET", "/v1/health", HealthAsync, IsOpen: true), new("GET", ModelsPath, ModelsAsync),
        new("GET", ModelsPath + "/", ModelAsync), new("GET", "/props", PropertiesAsync), new("GET", "/metrics", MetricsAsync),
        new("GET", "/openapi.json", DocumentAsync),
    ];

    private Task HealthAsync(HttpContext context)
    {
        _ = server.Facts;
        return ApiRequest.WriteAsync(context, StatusCodes.Status200OK, new HealthJson(server.Model.IsSleeping ? "sleeping" : "ok"), OpenAiJson.Lines.HealthJson);
    }

    private Task ModelsAsync(HttpContext context) =>
        ApiRequest.WriteAsync(context, StatusCodes.Status200OK, new ModelListJson("list", [Describe(server.Facts)]), OpenAiJson.Lines.ModelListJson);

    private Task ModelAsync(HttpContext context)
    {
        ModelFacts model = server.Facts;
        return context.Request.Path.Value![(ModelsPath.Length + 1)..] == model.Name
            ? ApiRequest.WriteAsync(context, StatusCodes.Status200OK, Describe(model), OpenAiJson.Lines.ModelJson)
            : throw new ApiException(404, ApiException.InvalidRequest, $"the model of this server is {model.Name}") { Parameter = "model", Code = "model_not_found" };
    }

    private ModelJson Describe(ModelFacts model) => new(model.Name, "model", server.Started, "internlm", model.Info.ContextLength);

    private Task PropertiesAsync(HttpContext context)
    {
        ModelFacts model = server.Facts;
        EngineInfo info = model.Info;
        var defaults = new GenerationOptions();
        return ApiRequest.WriteAsync(
            context,
            StatusCodes.Status200OK,
            new PropertiesJson(
                info.Model, info.Device, XComposerServer.Version, model.Sequences, info.ContextLength, info.PromptLength, info.TokensPerImage, info.PromptStyle, new ModalitiesJson(true, false),
                new DefaultsJson(defaults.Temperature, defaults.TopP, defaults.TopK, defaults.RepetitionPenalty, defaults.MaxTokens),
                new ComposeJson(server.Articles is not null, server.Sources.Name, ArticleRequest.MaximumFigures, ArticleRequest.DefaultFigures, ArticleRequest.MaximumOwnPictures), server.Model.IsSleeping)
            {
                ImageSize = info.ImageSize, MaxBodyBytes = server.Options.MaxBodyBytes, MaxImages = server.Options.MaxPictures, MaxImagePixels = server.Options.MaxPicturePixels,
            },
            OpenAiJson.Lines.PropertiesJson);
    }

    private static async Task DocumentAsync(HttpContext context)
    {
        using Stream document = typeof(StatusEndpoints).Assembly.GetManifestResourceStream("openapi.json")!;
        context.Response.ContentType = "application/json; charset=utf-8";
        context.Response.ContentLength = document.Length;
        await document.CopyToAsync(context.Response.Body, context.RequestAborted).ConfigureAwait(false);
    }

    private async Task MetricsAsync(HttpContext context)
    {
        using IDisposable look = server.Model.Look();
        EngineLoad? load = server.Loaded is { } engine ? await engine.Engine.LoadOfAsync().ConfigureAwait(false) : null;
        context.Response.ContentType = "text/plain; version=0.0.4; charset=utf-8";
        await server.Metrics.WriteAsync(load, server.IsDraining, server.Model.IsSleeping, context.Response.Body, context.RequestAborted).ConfigureAwait(false);
    }
}

/// <summary>Texts to tokens and back: <c>/tokenize</c>, <c>/detokenize</c>, <c>/apply-template</c>. Nothing is computed.</summary>
internal sealed class TokenEndpoints(ServerState server)
{
    private const int MaximumIds = 1 << 20;

    public IEnumerable<Route> Routes => [new("POST", "/tokenize", TokenizeAsync), new("POST", "/detokenize", DetokenizeAsync), new("POST", "/apply-template", ApplyTemplateAsync)];

    // A text, or a conversation whose pictures count though nothing is loaded.
    private async Task TokenizeAsync(HttpContext context)
    {
        LoadedEngine engine = server.Ready;
        using ApiRequest request = await ApiRequest.ReadAsync(context, server).ConfigureAwait(false);
        RequestFields fields = request.Fields;
        int[] tokens;
        if (fields.Has("messages"))
            tokens = PromptText.Positions(ChatMessages.Read(fields, engine.Tokenizer).Render(engine.TemplateOf(fields)), engine.Engine.Info.TokensPerImage);
        else if ((fields.Text("content") ?? fields.Text("prompt")) is { } text)
            tokens = [.. fields.Flag("add_special") ? [engine.Tokenizer.BosId] : Array.Empty<int>(), .. fields.Flag("parse_special", absent: true) ? engine.Tokenizer.Encode(text) : engine.Tokenizer.EncodeUserText(text)];
        else
            throw ApiException.Invalid("content", "content, prompt or messages is required");
        await request.RespondAsync(new TokensJson(tokens, tokens.Length, engine.Engine.Info.ContextLength), OpenAiJson.Lines.TokensJson).ConfigureAwait(false);
    }

    private async Task DetokenizeAsync(HttpContext context)
    {
        LoadedEngine engine = server.Ready;
        using ApiRequest request = await ApiRequest.ReadAsync(context, server).ConfigureAwait(false);
        if (!request.Fields.Has("tokens"))
            throw ApiException.Invalid("tokens", "tokens is required");
        int[] ids = [.. request.Fields.Elements("tokens", MaximumIds).Select(element => element.Value.ValueKind == System.Text.Json.JsonValueKind.Number && element.Value.TryGetInt32(out int id)
            ? id
            : throw ApiException.Unexpected(element.Name, "the id of a token", RequestFields.Show(element.Value)))];
        await request.RespondAsync(new TextJson(engine.Tokenizer.Decode(ids)), OpenAiJson.Lines.TextJson).ConfigureAwait(false);
    }

    private async Task ApplyTemplateAsync(HttpContext context)
    {
        LoadedEngine engine = server.Ready;
        using ApiRequest request = await ApiRequest.ReadAsync(context, server).ConfigureAwait(false);
        IReadOnlyList<PromptPiece> pieces = ChatMessages.Read(request.Fields, engine.Tokenizer).Render(engine.TemplateOf(request.Fields));
        await request.RespondAsync(new PromptJson(PromptText.Of(engine.Tokenizer, pieces)), OpenAiJson.Lines.PromptJson).ConfigureAwait(false);
    }
}
