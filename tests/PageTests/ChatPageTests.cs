using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Playwright;
using XComposer2.Native.UnitTests;
using Xunit;

namespace XComposer2.Native.PageTests;

/// <summary>A chat with the demo, as a person does it.</summary>
public sealed class ChatPageTests(PageHost host)
{
    private const string RedStar = "The image shows a red star at the top.";

    [Fact]
    public async Task Question_about_a_picture_is_answered_and_kept_in_the_browser()
    {
        await using PageVisit visit = await host.VisitAsync();
        await ColdAsync(visit);
        await visit.AddAsync("shapes-1.png");
        Assert.Equal(RedStar, await visit.AskAsync("Describe this image."));
        Assert.Equal(1, await visit.Page.Locator(".asked .shown img").CountAsync());
        await visit.Page.ReloadAsync();
        await visit.Answers.First.WaitForAsync();
        Assert.Equal(RedStar, await visit.Answers.First.InnerTextAsync());
        Assert.Equal(336, await visit.Page.Locator(".asked .shown img").EvaluateAsync<int>("image => image.decode().then(() => image.naturalWidth)"));
        await visit.ShowAsync("chat-answer");
    }

    [Fact]
    public async Task Page_asks_no_other_server()
    {
        await using PageVisit visit = await host.VisitAsync();
        await visit.AddAsync("shapes-1.png");
        await visit.AskAsync("Describe this image.");
        Assert.NotEmpty(visit.Requests);
        Assert.All(visit.Requests, url => Assert.True(url.StartsWith(host.Address, StringComparison.Ordinal) || url.StartsWith("blob:" + host.Address, StringComparison.Ordinal), url));
    }

    [Fact]
    public async Task Pictures_are_sent_in_the_order_that_they_were_moved_to()
    {
        var stub = new StubAnswers();
        await using PageVisit visit = await host.VisitAsync(prepare: page => stub.StreamAsync(page, "Two pictures."));
        await visit.AddAsync("shapes-1.png", "shapes-2.png", "shapes-3.png");
        await visit.Page.Locator(".tray .thumb").First.FocusAsync();
        await visit.Page.Keyboard.PressAsync("Shift+ArrowRight");
        await visit.ShowAsync("chat-pictures");
        await visit.Page.Locator(".tray li").Nth(2).GetByLabel("Remove").ClickAsync();
        await visit.AskAsync("Which?");
        JsonElement content = stub.Bodies[0].GetProperty("messages")[0].GetProperty("content");
        Assert.Equal(3, content.GetArrayLength());
        Assert.Equal([DataUrl("shapes-2.png"), DataUrl("shapes-1.png")], content.EnumerateArray().Take(2).Select(part => part.GetProperty("image_url").GetProperty("url").GetString()));
    }

    [Theory]
    [InlineData("paste")]
    [InlineData("drop")]
    public async Task Pictures_can_be_pasted_and_dropped(string way)
    {
        await using PageVisit visit = await host.VisitAsync();
        await visit.Page.EvaluateAsync("""
            async way => {
              const canvas = new OffscreenCanvas(30, 20), transfer = new DataTransfer();
              canvas.getContext('2d').fillRect(5, 5, 9, 9);
              transfer.items.add(new File([await canvas.convertToBlob()], 'drawn.png', { type: 'image/png' }));
              transfer.items.add(new File(['text'], 'text.txt', { type: 'text/plain' }));
              const target = document.getElementById('view-chat');
              target.dispatchEvent(way === 'paste' ? new ClipboardEvent('paste', { clipboardData: transfer, bubbles: true, cancelable: true }) : new DragEvent('drop', { dataTransfer: transfer, bubbles: true, cancelable: true }));
            }
            """, way);
        await visit.Page.GetByLabel("Picture 1 of 1: drawn.png").WaitForAsync();
        Assert.Equal(1, await visit.Page.Locator(".tray .thumb").CountAsync());
    }

    [Fact]
    public async Task Camera_takes_a_picture()
    {
        await using PageVisit visit = await host.VisitAsync();
        await visit.Page.GetByRole(AriaRole.Button, new() { Name = "Camera" }).ClickAsync();
        await visit.Page.GetByRole(AriaRole.Button, new() { Name = "Take picture" }).ClickAsync();
        await visit.Page.Locator(".tray .thumb").WaitForAsync();
    }

    [Fact]
    public async Task Stopped_answer_keeps_its_text_and_can_be_continued()
    {
        await using PageVisit visit = await host.VisitAsync(prepare: page => page.RouteAsync("**/v1/chat/completions", route =>
        {
            JsonNode body = JsonNode.Parse(route.Request.PostData!)!;
            bool continues = body["continue_final_message"] is not null;
            (body["ignore_eos"], body["max_tokens"]) = (true, continues ? 3 : 100_000);
            // A fast machine writes more before the key is pressed than a prompt may have.
            if (continues && body["messages"]!.AsArray()[^1]!.AsObject() is { } last && last["content"]!.GetValue<string>() is { Length: > 40 } text)
                last["content"] = text[..40];
            return route.ContinueAsync(new RouteContinueOptions { PostData = System.Text.Encoding.UTF8.GetBytes(body.ToJsonString()) });
        }));
        await visit.Question.FillAsync("Hello");
        await visit.Question.PressAsync("Enter");
        // A paragraph: before the first word, the same place says that it is being written.
        await visit.Page.WaitForFunctionAsync("() => document.querySelector('.answered .text p')?.innerText.trim().length > 4");
        await visit.Page.Keyboard.PressAsync("Escape");
        await visit.Answers.First.WaitForAsync();
        Assert.Equal("Stopped.", await visit.Page.Locator(".remark").InnerTextAsync());
        string kept = await visit.Answers.First.InnerTextAsync();
        await visit.Page.GetByRole(AriaRole.Button, new() { Name = "Continue" }).ClickAsync();
        await visit.Page.Locator(".remark", new() { HasText = "length limit" }).WaitForAsync();
        string continued = await visit.Answers.First.InnerTextAsync();
        Assert.StartsWith(kept[..^1], continued, StringComparison.Ordinal);
        Assert.True(continued.Length >= kept.Length);
    }

    [Fact]
    public async Task Answer_can_be_asked_for_again()
    {
        var stub = new StubAnswers();
        await using PageVisit visit = await host.VisitAsync(prepare: page => stub.StreamAsync(page, "First answer"));
        await visit.AskAsync("Hello");
        await StubAnswers.StopAsync(visit.Page);
        await stub.StreamAsync(visit.Page, "Second answer");
        await visit.Page.GetByRole(AriaRole.Button, new() { Name = "Answer again" }).ClickAsync();
        await visit.Page.GetByText("Second answer", new() { Exact = true }).WaitForAsync();
        Assert.Equal(1, await visit.Page.Locator(".answered").CountAsync());
        Assert.Equal(stub.Bodies[0].GetProperty("messages").ToString(), stub.Bodies[1].GetProperty("messages").ToString());
    }

    [Fact]
    public async Task Edited_question_replaces_what_followed_it()
    {
        var stub = new StubAnswers();
        await using PageVisit visit = await host.VisitAsync(prepare: page => stub.StreamAsync(page, "An answer"));
        await visit.AddAsync("shapes-1.png");
        await visit.AskAsync("First question");
        await visit.AskAsync("Second question");
        await visit.Page.Locator(".asked").First.GetByLabel("Edit the question").ClickAsync();
        Assert.Equal("First question", await visit.Question.InputValueAsync());
        Assert.Equal(1, await visit.Page.Locator(".tray .thumb").CountAsync());
        await visit.AskAsync("Other question");
        Assert.Equal(["Other question"], await visit.Page.Locator(".bubble").AllInnerTextsAsync());
        Assert.Equal(2, stub.Bodies[2].GetProperty("messages")[0].GetProperty("content").GetArrayLength());
    }

    [Fact]
    public async Task Cancelled_edit_leaves_the_conversation_as_it_was()
    {
        await using PageVisit visit = await host.VisitAsync(prepare: page => new StubAnswers().StreamAsync(page, "An answer"));
        await visit.AskAsync("First question");
        await visit.Page.GetByLabel("Edit the question").ClickAsync();
        await visit.Page.Locator(".banner").GetByRole(AriaRole.Button, new() { Name = "Cancel" }).ClickAsync();
        Assert.Equal(["First question"], await visit.Page.Locator(".bubble").AllInnerTextsAsync());
        Assert.Equal("", await visit.Question.InputValueAsync());
        Assert.Equal(1, await visit.Answers.CountAsync());
    }

    [Fact]
    public async Task Conversations_are_renamed_and_deleted()
    {
        await using PageVisit visit = await host.VisitAsync(prepare: page => new StubAnswers().StreamAsync(page, "An answer"));
        await visit.AskAsync("Hello there");
        ILocator entry = visit.Page.Locator("#conversation-list li");
        await entry.GetByLabel("Rename").ClickAsync();
        await visit.Page.Locator("#ask-line").FillAsync("Greetings");
        await visit.Page.Keyboard.PressAsync("Enter");
        await visit.Page.Locator("#conversation-list .open", new() { HasText = "Greetings" }).WaitForAsync();
        await entry.GetByLabel("Delete").ClickAsync();
        await visit.Page.Locator("dialog[open]").GetByRole(AriaRole.Button, new() { Name = "Delete" }).ClickAsync();
        await visit.Page.Locator("#welcome").WaitForAsync();
        await visit.Page.ReloadAsync();
        await visit.Page.Locator("#welcome").WaitForAsync();
        Assert.Equal(0, await entry.CountAsync());
    }

    [Theory]
    [InlineData("Markdown")]
    [InlineData("JSON")]
    public async Task Exported_conversation_has_its_text_and_pictures(string format)
    {
        await using PageVisit visit = await host.VisitAsync(prepare: page => new StubAnswers().StreamAsync(page, "An **answer**"));
        await visit.AddAsync("shapes-1.png");
        await visit.AskAsync("What is it?");
        await visit.Page.Locator("#conversation-list").GetByLabel("Export").ClickAsync();
        IDownload file = await visit.Page.RunAndWaitForDownloadAsync(() => visit.Page.Locator("dialog[open]").GetByRole(AriaRole.Button, new() { Name = format }).ClickAsync());
        Assert.Equal(format == "JSON" ? "What-is-it.json" : "What-is-it.md", file.SuggestedFilename);
        using var reader = new StreamReader(await file.CreateReadStreamAsync());
        string text = await reader.ReadToEndAsync(TestContext.Current.CancellationToken);
        Assert.Contains("An **answer**", text, StringComparison.Ordinal);
        Assert.Contains(DataUrl("shapes-1.png"), text, StringComparison.Ordinal);
        if (format == "JSON")
            Assert.Equal(2, JsonDocument.Parse(text).RootElement.GetProperty("messages").GetArrayLength());
    }

    [Fact]
    public async Task Settings_are_part_of_the_next_request()
    {
        var stub = new StubAnswers();
        await using PageVisit visit = await host.VisitAsync(prepare: page => stub.StreamAsync(page, "An answer"));
        await visit.AskAsync("Before");
        Assert.False(stub.Bodies[0].TryGetProperty("temperature", out _));
        await visit.Page.GetByRole(AriaRole.Button, new() { Name = "Settings" }).ClickAsync();
        await visit.ShowAsync("settings");
        await visit.Page.GetByLabel("Temperature").FillAsync("0.3");
        await visit.Page.GetByLabel("Longest answer").FillAsync("77");
        await visit.Page.GetByLabel("System prompt").FillAsync("Be brief.");
        await visit.Page.GetByRole(AriaRole.Button, new() { Name = "Done" }).ClickAsync();
        await visit.Page.ReloadAsync();
        await visit.Answers.First.WaitForAsync();
        await visit.AskAsync("After");
        JsonElement body = stub.Bodies[1];
        Assert.Equal((0.3, 77, "Be brief."), (body.GetProperty("temperature").GetDouble(), body.GetProperty("max_tokens").GetInt32(), body.GetProperty("messages")[0].GetProperty("content").GetString()));
    }

    [Fact]
    public async Task Page_speaks_Chinese_where_the_browser_does()
    {
        await using PageVisit visit = await host.VisitAsync(new Look(Language: "zh-CN"));
        Assert.Equal("想了解图片中的什么？", await visit.Page.Locator("#welcome h2").InnerTextAsync());
        Assert.Equal("zh-Hans", await visit.Page.Locator("html").GetAttributeAsync("lang"));
        await visit.AddAsync("shapes-1.png");
        Assert.Equal("图中有上方的红色星形。", await ColdAnswerAsync(visit, "描述这张图片。"));
        await visit.ShowAsync("chat-chinese");
        await visit.Page.Locator("#open-settings").ClickAsync();
        await visit.Page.GetByRole(AriaRole.Radio, new() { Name = "English" }).CheckAsync();
        Assert.Equal("Settings", await visit.Page.Locator("#settings-title").InnerTextAsync());
    }

    private static async Task<string> ColdAnswerAsync(PageVisit visit, string question)
    {
        await ColdAsync(visit);
        return await visit.AskAsync(question);
    }

    // The most likely answer.
    private static async Task ColdAsync(PageVisit visit) => await visit.Page.EvaluateAsync("() => import('/page/settings.js').then(settings => settings.change({ temperature: 0 }))");

    private static string DataUrl(string name) => "data:image/png;base64," + Convert.ToBase64String(File.ReadAllBytes(TestPaths.Repository("tools/demo/pictures/" + name)));
}
