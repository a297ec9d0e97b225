using Microsoft.Playwright;
using XComposer2.Native.Server;
using Xunit;

namespace XComposer2.Native.PageTests;

/// <summary>What the page says when something goes wrong, and what it does not let in.</summary>
public sealed class PageFailureTests(PageHost host)
{
    [Theory]
    [InlineData(429, "queue_full", "The server is busy with other answers. Try again in 3 s.")]
    [InlineData(400, "context_length_exceeded", "The conversation is too long for the model. Begin a new chat, or use fewer pictures.")]
    [InlineData(413, "request_too_large", "The pictures of this conversation are too large together. Remove some, or begin a new chat.")]
    [InlineData(400, "image_too_large", "A picture has too many pixels for this server. Make it smaller and try again.")]
    [InlineData(503, "503", "The model is still loading, or the server is shutting down. Try again in a moment.")]
    [InlineData(400, "other", "The server refused: details")]
    public async Task Refusals_are_explained(int status, string code, string expected)
    {
        await using PageVisit visit = await host.VisitAsync(prepare: page => new StubAnswers().RefuseAsync(page, status, code, "details", "3"));
        visit.Expected.Add($"the server responded with a status of {status}");
        await visit.AskAsync("Hello");
        Assert.Equal(expected, await visit.Page.Locator(".problem").InnerTextAsync());
    }

    [Fact]
    public async Task Interrupted_stream_keeps_what_came()
    {
        await using PageVisit visit = await host.VisitAsync(prepare: page => new StubAnswers().StreamAsync(page, "The first half", isWhole: false));
        Assert.Equal("The first half", await visit.AskAsync("Hello"));
        Assert.Contains("The connection broke off", await visit.Page.Locator(".problem").InnerTextAsync(), StringComparison.Ordinal);
        await visit.Page.ReloadAsync();
        await visit.Answers.First.WaitForAsync();
        Assert.Equal("The first half", await visit.Answers.First.InnerTextAsync());
    }

    [Fact]
    public async Task Server_that_is_gone_is_named()
    {
        await using PageVisit visit = await host.VisitAsync(prepare: page => page.RouteAsync("**/v1/**", route => route.AbortAsync("connectionrefused")));
        visit.Expected.Add("ERR_CONNECTION_REFUSED");
        await visit.AskAsync("Hello");
        Assert.Equal("The server cannot be reached. Is xc2 serve still running?", await visit.Page.Locator(".problem").InnerTextAsync());
    }

    [Fact]
    public async Task Key_is_asked_for_where_the_server_wants_one()
    {
        await using XComposerServer locked = await XComposerServer.StartAsync(new ServerOptions { Port = 0, Log = LogStyle.None, ApiKeys = ["open-sesame"] }, TestContext.Current.CancellationToken);
        await locked.LoadAsync(PageHost.Engine, TestContext.Current.CancellationToken);
        await using PageVisit visit = await host.VisitAsync(address: locked.Addresses[0] + "/");
        visit.Expected.Add("the server responded with a status of 401");
        await visit.Page.GetByRole(AriaRole.Button, new() { Name = "Enter the key" }).ClickAsync();
        Assert.Equal("setting-key", await visit.Page.EvaluateAsync<string>("() => document.activeElement.id"));
        await visit.Page.Keyboard.TypeAsync("open-sesame");
        await visit.Page.GetByRole(AriaRole.Button, new() { Name = "Done" }).ClickAsync();
        await visit.Page.Locator("#model[data-state=ready]").WaitForAsync();
        await visit.AskAsync("Hello");
        Assert.Equal(0, await visit.Page.Locator(".problem").CountAsync());
    }

    [Fact]
    public async Task Page_waits_while_the_model_loads()
    {
        await using XComposerServer loading = await XComposerServer.StartAsync(new ServerOptions { Port = 0, Log = LogStyle.None }, TestContext.Current.CancellationToken);
        await using PageVisit visit = await host.VisitAsync(address: loading.Addresses[0] + "/");
        visit.Expected.Add("the server responded with a status of 503");
        Assert.Equal("Model is loading …", await visit.Page.Locator("#model[data-state=loading]").InnerTextAsync());
        await visit.AskAsync("Hello");
        Assert.StartsWith("The model is still loading", await visit.Page.Locator(".problem").InnerTextAsync(), StringComparison.Ordinal);
        await loading.LoadAsync(PageHost.Engine, TestContext.Current.CancellationToken);
        await visit.Page.Locator("#model[data-state=ready]").WaitForAsync();
        Assert.Equal("demo", await visit.Page.Locator("#model").InnerTextAsync());
        await visit.Page.GetByLabel("Answer again").ClickAsync();
        await visit.Page.Locator(".problem").WaitForAsync(new LocatorWaitForOptions { State = WaitForSelectorState.Detached });
    }

    [Fact]
    public async Task Files_that_are_no_pictures_are_refused_with_their_name()
    {
        await using PageVisit visit = await host.VisitAsync();
        await visit.Page.SetInputFilesAsync("#files", new FilePayload { Name = "holiday.png", MimeType = "image/png", Buffer = [1, 2, 3] });
        await visit.Page.Locator(".banner", new() { HasText = "holiday.png cannot be read as a picture." }).WaitForAsync();
        await visit.Page.SetInputFilesAsync("#files", new FilePayload { Name = "huge.png", MimeType = "image/png", Buffer = new byte[24 << 20] });
        await visit.Page.Locator(".banner", new() { HasText = "huge.png is too large" }).WaitForAsync();
    }

    [Fact]
    public async Task Markup_of_an_answer_does_nothing()
    {
        const string Hostile = """
            **bold** <script>document.title='x'</script><img src=x onerror="document.title='x'"> [link](javascript:document.title='x') [fine](https://example.org/)
            <iframe src="/"></iframe><p style="position:fixed" onclick="1" class="sidebar" id="send">styled</p> ![shot](https://tracker.example/x.png)
            """;
        await using PageVisit visit = await host.VisitAsync(prepare: page => new StubAnswers().StreamAsync(page, Hostile));
        // The browser says what it blocks while the text is being cleaned.
        visit.Expected.Add("violates the following Content Security Policy");
        await visit.AskAsync("Hello");
        Assert.Equal("XComposer2", await visit.Page.TitleAsync());
        Assert.Equal(0, await visit.Page.Locator(".answered .text").Locator("script, img, iframe, [style], [onclick], [class], [id]").CountAsync());
        Assert.Equal(["https://example.org/"], await visit.Page.Locator(".answered .text a[href]").EvaluateAllAsync<string[]>("links => links.map(link => link.href)"));
        Assert.Equal(1, await visit.Page.Locator(".answered .text strong").CountAsync());
    }

    [Fact]
    public async Task Scripts_and_styles_within_the_page_are_blocked()
    {
        await using PageVisit visit = await host.VisitAsync();
        visit.Expected.AddRange(["Content Security Policy", "TrustedHTML"]);
        bool[] blocked = await visit.Page.EvaluateAsync<bool[]>("""
            async () => {
              const script = document.createElement('div');
              let refused = false;
              try { script.innerHTML = '<b>x</b>'; } catch { refused = true; }
              const line = document.createElement('p');
              line.setAttribute('style', 'position: fixed');
              document.body.append(line);
              const other = await fetch('https://other.example/').then(() => false, () => true);
              return [refused, getComputedStyle(line).position !== 'fixed', other];
            }
            """);
        Assert.Equal([true, true, true], blocked);
    }
}
