using System.Text;
using System.Text.Json;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.DependencyInjection;
using XComposer2.Native.Extensions.AI;
using XComposer2.Native.Model;
using XComposer2.Native.UnitTests;
using Xunit;

namespace XComposer2.Native.ServerTests;

/// <summary>The engine as <see cref="IChatClient"/>, without a server.</summary>
public sealed class ChatClientTests(ChatClientTests.Fixture demo) : IClassFixture<ChatClientTests.Fixture>
{
    private const string Described = "The image shows a red star at the top.";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private static ChatOptions Greedy => new() { Temperature = 0, MaxOutputTokens = 60 };

    private static ChatMessage Question => new(ChatRole.User, [new DataContent(DemoServer.Picture(), "image/png"), new TextContent("Describe this image.")]);

    [Fact]
    public async Task Picture_is_described_with_usage_and_finish_reason()
    {
        ChatResponse response = await demo.Client.GetResponseAsync([Question], Greedy, Cancellation);
        Assert.Equal((Described, ChatFinishReason.Stop, "demo"), (response.Text, response.FinishReason, response.ModelId));
        Assert.Equal(response.Usage!.InputTokenCount + response.Usage.OutputTokenCount, response.Usage.TotalTokenCount);
        Assert.True(response.Usage.AdditionalCounts!["image_tokens"] > 0);
        ChatOptions cut = Greedy;
        cut.MaxOutputTokens = 3;
        Assert.Equal(ChatFinishReason.Length, (await demo.Client.GetResponseAsync([Question], cut, Cancellation)).FinishReason);
    }

    [Fact]
    public async Task Stream_has_the_same_text_and_ends_with_usage()
    {
        List<ChatResponseUpdate> updates = [];
        await foreach (ChatResponseUpdate update in demo.Client.GetStreamingResponseAsync([Question], Greedy, Cancellation))
            updates.Add(update);
        ChatResponse response = updates.ToChatResponse();
        Assert.Equal((Described, ChatFinishReason.Stop), (response.Text, response.FinishReason));
        Assert.True(updates.Count > 5 && response.Usage!.OutputTokenCount > 5);
    }

    [Fact]
    public async Task Pictures_are_files_and_data_addresses_too()
    {
        Uri file = new(TestPaths.Repository("tools/demo/pictures/shapes-1.png")), data = new(DemoServer.DataUrl(DemoServer.Picture()));
        foreach (Uri address in (Uri[])[file, data])
        {
            ChatMessage message = new(ChatRole.User, [new UriContent(address, "image/png"), new TextContent("Describe this image.")]);
            Assert.Equal(Described, (await demo.Client.GetResponseAsync([message], Greedy, Cancellation)).Text);
        }
    }

    [Fact]
    public async Task Conversation_continues_and_its_beginning_is_cached()
    {
        List<ChatMessage> conversation = [new(ChatRole.System, "Be brief."), Question];
        ChatResponse first = await demo.Client.GetResponseAsync(conversation, Greedy, Cancellation);
        conversation.AddMessages(first);
        conversation.Add(new ChatMessage(ChatRole.User, "How many shapes are there?"));
        ChatResponse second = await demo.Client.GetResponseAsync(conversation, Greedy, Cancellation);
        Assert.True(second.Usage!.CachedInputTokenCount >= first.Usage!.InputTokenCount - 1);
    }

    [Fact]
    public async Task Answer_fits_the_schema_of_a_type()
    {
        ChatOptions options = Greedy;
        options.ResponseFormat = ChatResponseFormat.ForJsonSchema(JsonDocument.Parse("""{"type":"object","properties":{"red":{"type":"boolean"}},"required":["red"],"additionalProperties":false}""").RootElement);
        JsonElement answer = JsonDocument.Parse((await demo.Client.GetResponseAsync([Question], options, Cancellation)).Text).RootElement;
        Assert.Contains(answer.GetProperty("red").ValueKind, (JsonValueKind[])[JsonValueKind.True, JsonValueKind.False]);
    }

    [Fact]
    public async Task Cancelled_answer_ends_and_the_next_one_is_right()
    {
        using var cancellation = new CancellationTokenSource();
        ChatOptions endless = new() { MaxOutputTokens = 1000, AdditionalProperties = new() { ["repetition_penalty"] = 0.1 } };
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
        {
            await foreach (ChatResponseUpdate update in demo.Client.GetStreamingResponseAsync([Question], endless, cancellation.Token))
                await cancellation.CancelAsync();
        });
        Assert.Equal(Described, (await demo.Client.GetResponseAsync([Question], Greedy, Cancellation)).Text);
    }

    [Fact]
    public async Task Options_that_cannot_be_followed_are_refused_by_name()
    {
        await RefusedAsync(new ChatOptions { Tools = [AIFunctionFactory.Create(() => 1, "one")] }, "does not call tools");
        await RefusedAsync(new ChatOptions { ConversationId = "1" }, "ConversationId");
        await RefusedAsync(new ChatOptions { ModelId = "other" }, "ModelId: expected demo");
        await RefusedAsync(new ChatOptions { AdditionalProperties = new() { ["min_p"] = 0.1 } }, "AdditionalProperties: min_p");
        await Assert.ThrowsAsync<EngineException>(() => demo.Client.GetResponseAsync([Question], new ChatOptions { TopP = 2 }, Cancellation));
        await Assert.ThrowsAsync<PromptException>(() => demo.Client.GetResponseAsync([new ChatMessage(ChatRole.System, "x")], null, Cancellation));
        ChatMessage remote = new(ChatRole.User, [new UriContent("https://example.org/a.png", "image/png")]);
        Assert.Contains("download it", (await Assert.ThrowsAsync<NotSupportedException>(() => demo.Client.GetResponseAsync([remote], null, Cancellation))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Services_of_an_application_have_one_engine()
    {
        await using ServiceProvider provider = new ServiceCollection().AddXComposer(DemoServer.Engine).BuildServiceProvider();
        IChatClient client = provider.GetRequiredService<IChatClient>();
        Assert.Same(provider.GetRequiredService<XComposerEngine>(), client.GetService<XComposerEngine>());
        Assert.Equal("demo", client.GetService<ChatClientMetadata>()!.DefaultModelId);
        Assert.Equal(Described, (await client.GetResponseAsync([Question], Greedy, Cancellation)).Text);
    }

    private async Task RefusedAsync(ChatOptions options, string message) =>
        Assert.Contains(message, (await Assert.ThrowsAsync<NotSupportedException>(() => demo.Client.GetResponseAsync([Question], options, Cancellation))).Message, StringComparison.Ordinal);

    /// <summary>One engine for all tests.</summary>
    public sealed class Fixture : IAsyncLifetime
    {
        public IChatClient Client { get; private set; } = null!;

        public async ValueTask InitializeAsync() => Client = new XComposerChatClient(await XComposerEngine.LoadAsync(DemoServer.Engine, Cancellation), ownsEngine: true);

        public ValueTask DisposeAsync()
        {
            Client.Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
