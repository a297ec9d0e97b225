using System.Reflection;
using System.Security.Cryptography;
using Microsoft.AspNetCore.Http;

namespace XComposer2.Native.Server;

/// <summary>The page for people: <c>GET /</c> and its files below <c>/page/</c>, from this assembly. They are the same for everybody, so that they need no key; what they ask
/// the server for does. Safe to use from several threads.</summary>
internal sealed class PageEndpoint
{
    /// <summary>Nothing but the page's own files: no script or style within it, no other server. Pictures of the user and of articles are blobs.</summary>
    internal const string ContentSecurityPolicy =
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
        + "require-trusted-types-for 'script'; trusted-types dompurify";

    private const string Prefix = "/page/", ResourcePrefix = "page/", Index = "index.html";

    private readonly Dictionary<string, PageFile> files;

    public PageEndpoint()
    {
        Assembly assembly = typeof(PageEndpoint).Assembly;
        files = assembly.GetManifestResourceNames().Where(name => name.StartsWith(ResourcePrefix, StringComparison.Ordinal))
            .ToDictionary(name => name[ResourcePrefix.Length..], name => PageFile.Read(assembly, name), StringComparer.Ordinal);
    }

    public IEnumerable<Route> Routes => [new("GET", Prefix, FileAsync, IsOpen: true), new("GET", "/", context => SendAsync(context, files[Index]), IsOpen: true)];

    private Task FileAsync(HttpContext context) => files.TryGetValue(context.Request.Path.Value![Prefix.Length..], out PageFile? file)
        ? SendAsync(context, file)
        : throw new ApiException(404, ApiException.InvalidRequest, $"the page has no {RequestPipeline.Printable(context.Request.Path)}") { Code = "not_found" };

    private static async Task SendAsync(HttpContext context, PageFile file)
    {
        IHeaderDictionary headers = context.Response.Headers;
        headers.ContentSecurityPolicy = ContentSecurityPolicy;
        headers["Referrer-Policy"] = "no-referrer";
        headers["Permissions-Policy"] = "camera=(self), microphone=(), geolocation=()";
        headers["Cross-Origin-Opener-Policy"] = "same-origin";
        headers.ETag = file.Tag;
        // Asked for again each time, so that a newer xc2 shows its own page; unchanged files are not sent again.
        headers.CacheControl = "no-cache";
        if (context.Request.Headers.IfNoneMatch.Contains(file.Tag))
        {
            context.Response.StatusCode = StatusCodes.Status304NotModified;
            return;
        }

        context.Response.ContentType = file.MediaType;
        context.Response.ContentLength = file.Bytes.Length;
        await context.Response.Body.WriteAsync(file.Bytes, context.RequestAborted).ConfigureAwait(false);
    }

    /// <summary>A file of the page.</summary>
    /// <param name="Bytes">Its content.</param>
    /// <param name="MediaType">With the character set.</param>
    /// <param name="Tag">Changes with the content.</param>
    private sealed record PageFile(ReadOnlyMemory<byte> Bytes, string MediaType, string Tag)
    {
        public static PageFile Read(Assembly assembly, string resource)
        {
            using Stream stream = assembly.GetManifestResourceStream(resource)!;
            byte[] bytes = new byte[stream.Length];
            stream.ReadExactly(bytes);
            string mediaType = Path.GetExtension(resource) switch
            {
                ".html" => "text/html; charset=utf-8",
                ".js" or ".mjs" => "text/javascript; charset=utf-8",
                ".css" => "text/css; charset=utf-8",
                ".svg" => "image/svg+xml",
                _ => "text/plain; charset=utf-8",
            };
            return new PageFile(bytes, mediaType, $"\"{Convert.ToHexStringLower(SHA256.HashData(bytes))[..32]}\"");
        }
    }
}
