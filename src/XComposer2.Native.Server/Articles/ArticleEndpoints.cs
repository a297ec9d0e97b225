using Microsoft.AspNetCore.Http;
using XComposer2.Native.Composition.Output;
using XComposer2.Native.Composition.Storage;

namespace XComposer2.Native.Server;

/// <summary>Articles as they are: list, one, its pictures, its files, and its end. No model is asked.</summary>
internal sealed class ArticleEndpoints(ServerState server)
{
    /// <summary>Errors below this path are events of this name in a stream.</summary>
    public const string Prefix = "/v1/xc2";

    public const string ArticlesPath = Prefix + "/articles/";

    private const string PicturesAction = "/pictures/", ExportAction = "/export/";

    public IEnumerable<Route> Routes =>
        [new("GET", Prefix + "/articles", ListAsync), new("GET", ArticlesPath, GetAsync), new("DELETE", ArticlesPath, DeleteAsync)];

    /// <exception cref="ApiException">The server keeps no articles.</exception>
    public static ArticleStore Require(ServerState server) => server.Articles
        ?? throw ApiException.Invalid(null, "this server keeps no articles: it has no folder for them", "compose_unavailable");

    /// <summary>The name of an article, and what follows it with its slash.</summary>
    public static (string Id, string Action) Parts(HttpContext context)
    {
        string rest = context.Request.Path.Value![ArticlesPath.Length..];
        int slash = rest.IndexOf('/', StringComparison.Ordinal);
        return slash < 0 ? (rest, "") : (rest[..slash], rest[slash..]);
    }

    public static ApiException Unknown(HttpContext context) => new(404, ApiException.InvalidRequest, $"there is no {RequestPipeline.Printable(context.Request.Path)}") { Code = "not_found" };

    private Task ListAsync(HttpContext context) =>
        ApiRequest.WriteAsync(context, StatusCodes.Status200OK, new ArticleListJson(Require(server).List()), ArticlesJson.Lines.ArticleListJson);

    private Task GetAsync(HttpContext context)
    {
        ArticleStore store = Require(server);
        (string id, string action) = Parts(context);
        if (action.Length == 0)
            return ApiRequest.WriteAsync(context, StatusCodes.Status200OK, store.Read(id), ArticlesJson.Lines.ArticleJson);
        if (action.StartsWith(PicturesAction, StringComparison.Ordinal))
            return SendPictureAsync(context, store, id, action[PicturesAction.Length..]);
        return action.StartsWith(ExportAction, StringComparison.Ordinal) ? ExportAsync(context, store, id, action[ExportAction.Length..]) : throw Unknown(context);
    }

    private Task DeleteAsync(HttpContext context)
    {
        (string id, string action) = Parts(context);
        if (action.Length > 0)
            throw Unknown(context);
        ArticleStore store = Require(server);
        store.Delete(id);
        context.Response.StatusCode = StatusCodes.Status204NoContent;
        return Task.CompletedTask;
    }

    private static async Task SendPictureAsync(HttpContext context, ArticleStore store, string id, string file)
    {
        byte[] bytes = store.ReadPicture(id, file);
        // The name is made of the bytes.
        context.Response.Headers.CacheControl = "private, max-age=31536000, immutable";
        await SendAsync(context, Path.GetExtension(file) switch { ".png" => "image/png", ".jpg" => "image/jpeg", ".gif" => "image/gif", ".webp" => "image/webp", _ => "image/bmp" }, bytes).ConfigureAwait(false);
    }

    private static async Task ExportAsync(HttpContext context, ArticleStore store, string id, string file)
    {
        if (ArticleOutput.Standard.FirstOrDefault(output => output.FileName == file) is not { } output)
            throw Unknown(context);
        Composition.Article article = store.Current(id);
        if (!output.IsWanted(article))
            throw new ApiException(404, ApiException.InvalidRequest, $"the article has no {file}: no figure has candidates") { Code = "not_found" };
        using var bytes = new MemoryStream();
        output.Write(article, bytes);
        context.Response.Headers.ContentDisposition = $"attachment; filename=\"{file}\"";
        context.Response.Headers.CacheControl = "no-store";
        await SendAsync(context, TypeOf(file), bytes.GetBuffer().AsMemory(0, (int)bytes.Length)).ConfigureAwait(false);
    }

    private static string TypeOf(string file) => file switch
    {
        ArticleArchive.FileName => "application/zip",
        ArticleDocument.FileName => "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        ArticleMarkdown.FileName => "text/markdown; charset=utf-8",
        _ => "text/html; charset=utf-8",
    };

    private static async Task SendAsync(HttpContext context, string type, ReadOnlyMemory<byte> bytes)
    {
        // Whatever a file holds, it is no page of this server.
        context.Response.Headers.ContentSecurityPolicy = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:";
        context.Response.ContentType = type;
        context.Response.ContentLength = bytes.Length;
        await context.Response.Body.WriteAsync(bytes, context.RequestAborted).ConfigureAwait(false);
    }
}
