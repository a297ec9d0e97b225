using Deque.AxeCore.Commons;
using Deque.AxeCore.Playwright;
using Microsoft.Playwright;
using Xunit;

namespace XComposer2.Native.PageTests;

/// <summary>axe finds nothing in any view, light or dark, on a desk or a phone; and keys reach everything.</summary>
public sealed class PageAccessibilityTests(PageHost host)
{
    public static TheoryData<bool, bool> Looks => new() { { false, false }, { true, false }, { false, true }, { true, true } };

    [Theory]
    [MemberData(nameof(Looks))]
    public async Task Chat_has_no_barriers(bool isDark, bool isPhone)
    {
        const string Answer = "# A star\n\nThere is a *red star* [250, 0, 750, 500].\n\n* one\n* two\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n```\ncode\n```\n\n> quoted [link](https://example.org/)";
        await using PageVisit visit = await host.VisitAsync(new Look(isDark, isPhone), page => new StubAnswers().StreamAsync(page, Answer));
        string name = $"{(isDark ? "dark" : "light")}-{(isPhone ? "phone" : "desktop")}";
        await CheckAsync(visit, "chat-empty-" + name);
        await visit.AddAsync("shapes-1.png", "shapes-2.png");
        await visit.AskAsync("What is in these pictures?");
        await visit.AddAsync("shapes-3.png", "shapes-4.png");
        await visit.Question.FillAsync("And in these?");
        await CheckAsync(visit, "chat-" + name);
        await visit.Page.Locator(".tray .thumb").First.ClickAsync();
        await CheckAsync(visit, "picture-" + name);
        await visit.Page.Keyboard.PressAsync("Escape");
        await visit.Page.Locator("#open-settings").ClickAsync();
        await CheckAsync(visit, "settings-" + name);
        await visit.Page.Keyboard.PressAsync("Escape");
        if (!isPhone)
            return;
        await visit.Page.Locator("#menu").ClickAsync();
        await visit.Page.Locator("#conversation-list .open").First.WaitForAsync();
        await Task.Delay(300, TestContext.Current.CancellationToken);
        await CheckAsync(visit, "sidebar-" + name);
    }

    [Fact]
    public async Task Keys_alone_ask_a_question_and_reach_its_answer()
    {
        await using PageVisit visit = await host.VisitAsync(prepare: page => new StubAnswers().StreamAsync(page, "An answer"));
        await visit.Page.Locator("body").PressAsync("Tab");
        await visit.Page.EvaluateAsync("() => document.activeElement.blur()");
        await visit.Question.FocusAsync();
        await visit.Page.Keyboard.TypeAsync("Hello");
        await visit.Page.Keyboard.PressAsync("Shift+Enter");
        await visit.Page.Keyboard.TypeAsync("there");
        await visit.Page.Keyboard.PressAsync("Enter");
        await visit.Answers.First.WaitForAsync();
        Assert.Equal("Hello\nthere", await visit.Page.Locator(".bubble").InnerTextAsync());
        await visit.Page.Locator("#announcer", new() { HasText = "Answer: An answer" }).WaitForAsync(new LocatorWaitForOptions { State = WaitForSelectorState.Attached });
        await visit.Page.Locator(".answered").GetByLabel("Copy").FocusAsync();
        await visit.Page.Keyboard.PressAsync("Enter");
        await visit.Page.Locator(".answered .done").WaitForAsync();
        Assert.Equal("An answer", await visit.Page.EvaluateAsync<string>("() => navigator.clipboard.readText()"));
    }

    /// <summary>Fails where axe finds something.</summary>
    internal static async Task CheckAsync(PageVisit visit, string name)
    {
        await visit.ShowAsync(name);
        AxeResult result = await visit.Page.RunAxe();
        Assert.True(result.Violations.Length == 0, $"{name}: {string.Join("; ", result.Violations.Select(found => $"{found.Id}: {found.Help} ({string.Join(", ", found.Nodes.Select(node => $"{node.Target} {node.Html}"))})"))}");
    }
}
