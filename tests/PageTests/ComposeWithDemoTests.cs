using System.Text;
using System.Text.Json.Nodes;
using Microsoft.Playwright;
using XComposer2.Native.Server;
using XComposer2.Native.UnitTests;
using Xunit;

namespace XComposer2.Native.PageTests;

/// <summary>The Compose tab with a server that writes, illustrates and keeps articles.</summary>
public sealed class ComposeWithDemoTests(PageHost host) : IAsyncLifetime
{
    private const int GalleryPictures = 8;

    private readonly string folder = Directory.CreateTempSubdirectory("xc2-compose-page-").FullName;
    private XComposerServer? server;

    public async ValueTask InitializeAsync()
    {
        string gallery = Directory.CreateDirectory(Path.Combine(folder, "shapes")).FullName;
        foreach (string picture in Directory.EnumerateFiles(TestPaths.Repository("tools/demo/compose/gallery"), "*.png").Order(StringComparer.Ordinal).Take(GalleryPictures))
            File.Copy(picture, Path.Combine(gallery, Path.GetFileName(picture)));
        server = await XComposerServer.StartAsync(new ServerOptions { Port = 0, Log = LogStyle.None, ArticlesFolder = Path.Combine(folder, "articles"), Gallery = gallery, ApiKeys = ["key"] }, TestContext.Current.CancellationToken);
        await server.LoadAsync(PageHost.Engine, TestContext.Current.CancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        if (server is not null)
            await server.DisposeAsync();
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public async Task Article_is_written_illustrated_changed_undone_and_exported()
    {
        await using PageVisit visit = await host.VisitAsync(address: server!.Addresses[0] + "/", prepare: PrepareAsync);
        await visit.Page.GetByRole(AriaRole.Tab, new() { Name = "Compose" }).ClickAsync();
        await visit.Page.GetByLabel("Title").FillAsync("The park");
        await visit.Page.GetByLabel("Figures").SelectOptionAsync("1");
        await visit.Page.GetByRole(AriaRole.Button, new() { Name = "Write the article" }).ClickAsync();
        await visit.Page.Locator("#article-announcer", new() { HasText = "The article is complete" }).WaitForAsync(new LocatorWaitForOptions { State = WaitForSelectorState.Attached, Timeout = 60_000 });
        ILocator sections = visit.Page.Locator(".section");
        int count = await sections.CountAsync();
        Assert.True(count > 0);
        await visit.ShowAsync("compose-demo");
        await visit.Page.Locator(".change").First.ClickAsync();
        ILocator candidates = visit.Page.Locator(".candidate");
        Assert.Equal(3, await candidates.CountAsync());
        await visit.Page.Locator(".candidate[aria-pressed=false]").First.ClickAsync();
        await visit.Page.Locator("#article-bar").GetByLabel("Undo").And(visit.Page.Locator(":enabled")).WaitForAsync();
        await sections.First.Locator(".section-text").ClickAsync();
        await visit.Page.GetByRole(AriaRole.Button, new() { Name = "Edit the text" }).ClickAsync();
        await visit.Page.Locator(".fill textarea").FillAsync("Written by hand.");
        await visit.Page.Locator(".fill").GetByRole(AriaRole.Button).ClickAsync();
        await visit.Page.GetByText("Written by hand.").WaitForAsync();
        await visit.Page.Locator("#article-bar").GetByLabel("Undo").ClickAsync();
        await visit.Page.GetByText("Written by hand.").WaitForAsync(new LocatorWaitForOptions { State = WaitForSelectorState.Detached });
        Assert.Equal(count, await sections.CountAsync());
        await visit.Page.Locator("#article-bar").GetByLabel("Export").ClickAsync();
        IDownload file = await visit.Page.RunAndWaitForDownloadAsync(() => visit.Page.Locator("dialog[open]").GetByRole(AriaRole.Button, new() { Name = "Markdown (zip)" }).ClickAsync());
        Assert.Equal("PK"u8.ToArray(), (await File.ReadAllBytesAsync(await file.PathAsync(), TestContext.Current.CancellationToken))[..2]);
        await visit.Page.Locator("#article-list").GetByLabel("Delete").ClickAsync();
        await visit.Page.Locator("dialog[open]").GetByRole(AriaRole.Button, new() { Name = "Delete" }).ClickAsync();
        await visit.Page.Locator("#article-list li").First.WaitForAsync(new LocatorWaitForOptions { State = WaitForSelectorState.Detached });
    }

    // The most likely article, about shapes that the gallery has.
    private static async Task PrepareAsync(IPage page)
    {
        await page.AddInitScriptAsync("localStorage.setItem('xc2.settings', JSON.stringify({ key: 'key' }))");
        await page.RouteAsync("**/v1/xc2/compose", route =>
        {
            JsonNode body = JsonNode.Parse(route.Request.PostData!)!;
            (body["temperature"], body["seed"], body["outline"]) = (0, 5, new JsonArray("a red circle", "a blue square"));
            return route.ContinueAsync(new RouteContinueOptions { PostData = Encoding.UTF8.GetBytes(body.ToJsonString()) });
        });
    }
}
