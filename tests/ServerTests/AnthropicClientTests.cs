using Anthropic;
using Anthropic.Exceptions;
using Microsoft.Extensions.AI;
using Xunit;

namespace XComposer2.Native.ServerTests;

/// <summary>Anthropic's own client against <c>/v1/messages</c>.</summary>
public sealed class AnthropicClientTests(DemoServer demo) : IClassFixture<DemoServer>
{
    private static readonly ChatOptions greedy = new() { Temperature = 0, MaxOutputTokens = 60 };

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private IChatClient Client => new AnthropicClient { BaseUrl = demo.Http.BaseAddress!.ToString().TrimEnd('/'), ApiKey = "any", MaxRetries = 0 }.AsIChatClient(DemoServer.Model);

    [Fact]
    public async Task Question_about_a_picture_is_answered()
    {
        using IChatClient client = Client;
        ChatResponse response = await client.GetResponseAsync([AboutPicture()], greedy, Cancellation);
        Assert.Equal("The image shows a red star at the top.", response.Text);
        Assert.Equal(ChatFinishReason.Stop, response.FinishReason);
        Assert.True(response.Usage is { InputTokenCount: > 0, OutputTokenCount: > 0 });
    }

    [Fact]
    public async Task Answer_is_streamed_in_pieces()
    {
        using IChatClient client = Client;
        List<ChatResponseUpdate> updates = [];
        await foreach (ChatResponseUpdate update in client.GetStreamingResponseAsync([AboutPicture()], greedy, Cancellation))
            updates.Add(update);
        Assert.True(updates.Count(update => update.Text.Length > 0) > 3);
        Assert.Equal("The image shows a red star at the top.", updates.ToChatResponse().Text);
    }

    [Fact]
    public async Task Conversation_has_system_text_and_earlier_answers()
    {
        using IChatClient client = Client;
        ChatMessage[] turns = [new(ChatRole.System, "Be brief."), new(ChatRole.User, "Hello"), new(ChatRole.Assistant, "Hello!"), new(ChatRole.User, "How many shapes are there?")];
        ChatResponse response = await client.GetResponseAsync(turns, new ChatOptions { Temperature = 0, MaxOutputTokens = 3 }, Cancellation);
        Assert.Equal(ChatFinishReason.Length, response.FinishReason);
    }

    [Fact]
    public async Task Mistake_is_the_client_s_own_exception()
    {
        using IChatClient client = Client;
        AnthropicApiException refused = await Assert.ThrowsAnyAsync<AnthropicApiException>(() => client.GetResponseAsync([new ChatMessage(ChatRole.User, [new DataContent(new byte[] { 1, 2, 3 }, "image/png")])], greedy, Cancellation));
        Assert.Contains("invalid_request_error", refused.Message, StringComparison.Ordinal);
        Assert.Contains("messages[0].content[0].source.data", refused.Message, StringComparison.Ordinal);
    }

    private static ChatMessage AboutPicture() => new(ChatRole.User, [new DataContent(DemoServer.Picture(), "image/png"), new TextContent("Describe this image.")]);
}
