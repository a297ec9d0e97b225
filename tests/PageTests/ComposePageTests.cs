using System.Text.Json;
using Microsoft.Playwright;
using Xunit;

namespace XComposer2.Native.PageTests;

/// <summary>The Compose tab: an outline to confirm, the article, its figures and changes.</summary>
public sealed class ComposePageTests(PageHost host)
{
    [Fact]
    public async Task Compose_is_shown_only_where_the_server_keeps_articles()
    {
        await using PageVisit visit = await host.VisitAsync();
        Assert.False(await visit.Page.Locator("#tabs").IsVisibleAsync());
    }

    [Fact]
    public async Task Outline_is_confirmed_before_the_article_is_written()
    {
        var stub = new StubArticles();
        await using PageVisit visit = await OpenAsync(stub);
        await visit.Page.GetByLabel("Title").FillAsync("Shapes in the park");
        await visit.Page.GetByLabel("Material").FillAsync("The gate is closed at night.");
        await visit.Page.GetByRole(AriaRole.Button, new() { Name = "Suggest an outline" }).ClickAsync();
        ILocator points = visit.Page.GetByLabel("Point of the outline");
        await points.Nth(2).WaitForAsync();
        await points.Nth(1).FillAsync("The star");
        await visit.Page.Locator(".outline li").Nth(2).GetByLabel("Remove").ClickAsync();
        await visit.Page.GetByRole(AriaRole.Button, new() { Name = "Add a point" }).ClickAsync();
        await visit.Page.Keyboard.TypeAsync("What to bring");
        await visit.ShowAsync("compose-outline");
        await visit.Page.GetByRole(AriaRole.Button, new() { Name = "Write the article" }).ClickAsync();
        await visit.Page.Locator(".article h2", new() { HasText = "Shapes in the park" }).WaitForAsync();
        JsonElement body = stub.Requests.Single(request => request.Path == "compose").Body;
        Assert.Equal(["Where the park is", "The star", "What to bring"], body.GetProperty("outline").EnumerateArray().Select(point => point.GetString()));
        Assert.Equal(("Shapes in the park", "The gate is closed at night.", true), (body.GetProperty("title").GetString(), body.GetProperty("material")[0].GetString(), body.GetProperty("stream").GetBoolean()));
    }

    [Fact]
    public async Task Candidates_lie_beside_each_other_with_their_scores()
    {
        var stub = new StubArticles();
        await using PageVisit visit = await OpenArticleAsync(stub);
        await visit.Page.Locator("[data-section='3'] .change").ClickAsync();
        ILocator candidates = visit.Page.Locator(".candidate");
        Assert.Equal(["Score 64% · search no. 1", "Score 27% · search no. 2", "Score 6% · search no. 3", ""], await candidates.Locator(".facts").AllInnerTextsAsync());
        Assert.Equal(["true", "false", "false", "false"], await Task.WhenAll(Enumerable.Range(0, 4).Select(index => candidates.Nth(index).GetAttributeAsync("aria-pressed"))));
        Assert.True(await candidates.Nth(1).Locator("img").EvaluateAsync<bool>("async image => { while (!image.src) await new Promise(done => setTimeout(done, 10)); await image.decode(); return image.naturalWidth === 336; }"));
        float[] tops = await Task.WhenAll(Enumerable.Range(0, 4).Select(async index => (await candidates.Nth(index).BoundingBoxAsync())!.Y));
        Assert.Single(tops.Distinct());
        await candidates.Nth(1).ClickAsync();
        await visit.Page.Locator("#article-announcer", new() { HasText = "section 2 rewritten" }).WaitForAsync(new LocatorWaitForOptions { State = WaitForSelectorState.Attached });
        Assert.Equal("""{"op":"choose-figure","section":3,"candidate":2,"stream":true}""", stub.Requests[^1].Body.GetRawText());
    }

    [Fact]
    public async Task Section_is_edited_by_selecting_it()
    {
        var stub = new StubArticles();
        await using PageVisit visit = await OpenArticleAsync(stub);
        await visit.Page.Locator("[data-section='2'] .section-text").ClickAsync();
        await visit.Page.GetByRole(AriaRole.Button, new() { Name = "Rewrite" }).ClickAsync();
        await visit.Page.Keyboard.TypeAsync("In the evening");
        await visit.Page.Keyboard.PressAsync("Control+Enter");
        await visit.Page.GetByText("An evening walk through").WaitForAsync();
        Assert.Equal("""{"op":"rewrite","section":2,"instruction":"In the evening","stream":true}""", stub.Requests[^1].Body.GetRawText());
    }

    [Fact]
    public async Task Changes_are_undone_and_redone()
    {
        var stub = new StubArticles();
        await using PageVisit visit = await OpenArticleAsync(stub);
        await visit.Page.GetByLabel("Undo").ClickAsync();
        await visit.Page.GetByText("An evening walk through").WaitForAsync();
        await visit.Page.GetByLabel("Redo").ClickAsync();
        await visit.Page.Locator("#article-bar button:not([disabled])").First.WaitForAsync();
        Assert.Equal(["undo", "redo"], stub.Requests.Select(request => request.Body.GetProperty("op").GetString()));
    }

    [Fact]
    public async Task Picture_of_a_figure_is_replaced_by_an_upload()
    {
        var stub = new StubArticles();
        await using PageVisit visit = await OpenArticleAsync(stub);
        await visit.Page.Locator("[data-section='4'] .change").ClickAsync();
        IFileChooser chooser = await visit.Page.RunAndWaitForFileChooserAsync(() => visit.Page.GetByRole(AriaRole.Button, new() { Name = "Upload a picture" }).ClickAsync());
        await chooser.SetFilesAsync(UnitTests.TestPaths.Repository("tools/demo/pictures/shapes-5.png"));
        await visit.Page.GetByText("An evening walk through").WaitForAsync();
        JsonElement body = stub.Requests[^1].Body;
        Assert.Equal(("replace-figure", 4, "shapes-5.png"), (body.GetProperty("op").GetString(), body.GetProperty("section").GetInt32(), body.GetProperty("picture").GetProperty("name").GetString()));
        Assert.StartsWith("data:image/png;base64,", body.GetProperty("picture").GetProperty("image").GetString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Markdown (zip)", "zip")]
    [InlineData("HTML", "html")]
    [InlineData("Word", "docx")]
    public async Task Article_is_exported(string choice, string extension)
    {
        await using PageVisit visit = await OpenArticleAsync(new StubArticles());
        await visit.Page.Locator("#article-bar").GetByLabel("Export").ClickAsync();
        IDownload file = await visit.Page.RunAndWaitForDownloadAsync(() => visit.Page.Locator("dialog[open]").GetByRole(AriaRole.Button, new() { Name = choice }).ClickAsync());
        Assert.Equal($"Shapes-in-the-park.{extension}", file.SuggestedFilename);
        Assert.Equal($"articles/k3v9/export/article.{extension}", await File.ReadAllTextAsync(await file.PathAsync(), TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Printed_article_is_black_on_white_and_alone()
    {
        await using PageVisit visit = await OpenArticleAsync(new StubArticles(), new Look(IsDark: true));
        await visit.Page.EmulateMediaAsync(new PageEmulateMediaOptions { Media = Media.Print });
        foreach (string other in (string[])[".top", "#articles", "#article-bar", ".change"])
            Assert.False(await visit.Page.Locator(other).First.IsVisibleAsync(), other);
        Assert.True(await visit.Page.Locator(".article img").First.IsVisibleAsync());
        Assert.Equal("rgb(0, 0, 0)", await visit.Page.Locator(".article p").First.EvaluateAsync<string>("paragraph => getComputedStyle(paragraph).color"));
    }

    [Fact]
    public async Task Refused_change_is_explained_and_leaves_the_article()
    {
        await using PageVisit visit = await OpenArticleAsync(new StubArticles { Refusal = "article_busy" });
        visit.Expected.Add("the server responded with a status of 409");
        await visit.Page.GetByLabel("Undo").ClickAsync();
        await visit.Page.Locator("#article-banner", new() { HasText = "Another page or program is changing this article." }).WaitForAsync();
        Assert.Equal(7, await visit.Page.Locator(".section").CountAsync());
    }

    [Theory]
    [MemberData(nameof(PageAccessibilityTests.Looks), MemberType = typeof(PageAccessibilityTests))]
    public async Task Compose_has_no_barriers(bool isDark, bool isPhone)
    {
        string name = $"{(isDark ? "dark" : "light")}-{(isPhone ? "phone" : "desktop")}";
        await using PageVisit visit = await OpenAsync(new StubArticles(), new Look(isDark, isPhone));
        await visit.Page.GetByLabel("Title").FillAsync("Shapes in the park");
        await visit.Page.GetByRole(AriaRole.Button, new() { Name = "Suggest an outline" }).ClickAsync();
        await visit.Page.GetByLabel("Point of the outline").First.WaitForAsync();
        await PageAccessibilityTests.CheckAsync(visit, "compose-form-" + name);
        await ShowArticleAsync(visit, isPhone);
        await PageAccessibilityTests.CheckAsync(visit, "compose-article-" + name);
        await visit.Page.Locator("[data-section='3'] .change").ClickAsync();
        await visit.Page.Locator("[data-section='3'] .panel").ScrollIntoViewIfNeededAsync();
        await PageAccessibilityTests.CheckAsync(visit, "compose-candidates-" + name);
        await visit.Page.Locator("[data-section='2'] .section-text").ClickAsync();
        await visit.Page.GetByRole(AriaRole.Button, new() { Name = "Edit the text" }).ClickAsync();
        await PageAccessibilityTests.CheckAsync(visit, "compose-section-" + name);
    }

    private async Task<PageVisit> OpenAsync(StubArticles stub, Look? look = null)
    {
        PageVisit visit = await host.VisitAsync(look, stub.ServeAsync);
        await visit.Page.GetByRole(AriaRole.Tab, new() { Name = "Compose" }).ClickAsync();
        return visit;
    }

    private async Task<PageVisit> OpenArticleAsync(StubArticles stub, Look? look = null)
    {
        PageVisit visit = await OpenAsync(stub, look);
        await ShowArticleAsync(visit, isPhone: false);
        return visit;
    }

    private static async Task ShowArticleAsync(PageVisit visit, bool isPhone)
    {
        if (isPhone)
            await visit.Page.Locator("#menu").ClickAsync();
        await visit.Page.Locator("#article-list .open").First.ClickAsync();
        await visit.Page.Locator(".section").Nth(6).WaitForAsync();
    }
}
