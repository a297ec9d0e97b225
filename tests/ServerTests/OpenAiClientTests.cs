using System.ClientModel;
using System.Text;
using Microsoft.Extensions.AI;
using OpenAI.Chat;
using Xunit;
using ChatFinishReason = OpenAI.Chat.ChatFinishReason;
using ChatMessage = OpenAI.Chat.ChatMessage;

namespace XComposer2.Native.ServerTests;

/// <summary>OpenAI's own client against a server with the demo.</summary>
public sealed class OpenAiClientTests(DemoServer demo) : IClassFixture<DemoServer>
{
    private const string Described = "The image shows a red star at the top.";

    private static readonly string[] describedTwice = [Described, Described];

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private static ChatCompletionOptions Greedy => new() { Temperature = 0, MaxOutputTokenCount = 60 };

    [Fact]
    public async Task Picture_is_described()
    {
        ChatCompletion answer = await demo.Chat().CompleteChatAsync([DemoServer.AboutPicture()], Greedy, Cancellation);
        Assert.Equal(Described, answer.Content[0].Text);
        Assert.Equal((ChatFinishReason.Stop, DemoServer.Model, ChatMessageRole.Assistant), (answer.FinishReason, answer.Model, answer.Role));
        Assert.Equal(answer.Usage.InputTokenCount + answer.Usage.OutputTokenCount, answer.Usage.TotalTokenCount);
        Assert.True(answer.Usage.OutputTokenCount > 5);
    }

    [Fact]
    public async Task Stream_has_the_text_of_the_whole_answer_and_usage_at_the_end()
    {
        var text = new StringBuilder();
        ChatFinishReason? finish = null;
        ChatTokenUsage? usage = null;
        int updates = 0;
        await foreach (StreamingChatCompletionUpdate update in demo.Chat().CompleteChatStreamingAsync([DemoServer.AboutPicture()], Greedy, Cancellation))
        {
            Assert.Null(usage);
            foreach (ChatMessageContentPart part in update.ContentUpdate)
                text.Append(part.Text);
            finish ??= update.FinishReason;
            usage = update.Usage;
            updates++;
        }

        Assert.Equal((Described, ChatFinishReason.Stop), (text.ToString(), finish));
        Assert.True(updates > 5);
        Assert.True(usage!.InputTokenCount > 0 && usage.OutputTokenCount > 0);
    }

    [Fact]
    public async Task Second_turn_reads_only_what_is_new()
    {
        List<ChatMessage> conversation = [DemoServer.AboutPicture()];
        ChatCompletion first = await demo.Chat().CompleteChatAsync(conversation, Greedy, Cancellation);
        conversation.Add(new AssistantChatMessage(first));
        conversation.Add(new UserChatMessage("How many shapes are there?"));
        ChatCompletion second = await demo.Chat().CompleteChatAsync(conversation, Greedy, Cancellation);
        Assert.True(second.Usage.InputTokenDetails.CachedTokenCount >= first.Usage.InputTokenCount - 1);
    }

    [Fact]
    public async Task Log_probabilities_are_those_of_the_tokens_of_the_answer()
    {
        ChatCompletionOptions options = Greedy;
        (options.IncludeLogProbabilities, options.TopLogProbabilityCount) = (true, 3);
        // Both answers below find the prompt in the cache: its last row alone is computed with other sums than within the prompt, which differ in their last bits.
        await demo.Chat().CompleteChatAsync([DemoServer.AboutPicture()], options, Cancellation);
        ChatCompletion answer = await demo.Chat().CompleteChatAsync([DemoServer.AboutPicture()], options, Cancellation);
        Assert.Equal(answer.Usage.OutputTokenCount, answer.ContentTokenLogProbabilities.Count);
        Assert.Equal(Described, Encoding.UTF8.GetString([.. answer.ContentTokenLogProbabilities.SelectMany(token => token.Utf8Bytes!.Value.ToArray())]));
        Assert.All(answer.ContentTokenLogProbabilities, token =>
        {
            Assert.Equal(3, token.TopLogProbabilities.Count);
            Assert.Equal((token.Token, token.LogProbability), (token.TopLogProbabilities[0].Token, token.TopLogProbabilities[0].LogProbability));
        });

        List<ChatTokenLogProbabilityDetails> streamed = [];
        await foreach (StreamingChatCompletionUpdate update in demo.Chat().CompleteChatStreamingAsync([DemoServer.AboutPicture()], options, Cancellation))
            streamed.AddRange(update.ContentTokenLogProbabilities);
        Assert.Equal(answer.ContentTokenLogProbabilities.Select(token => (token.Token, token.LogProbability)), streamed.Select(token => (token.Token, token.LogProbability)));
    }

    [Fact]
    public async Task Stop_text_ends_the_answer_before_it()
    {
        ChatCompletionOptions options = Greedy;
        options.StopSequences.Add(" star");
        ChatCompletion answer = await demo.Chat().CompleteChatAsync([DemoServer.AboutPicture()], options, Cancellation);
        Assert.Equal(("The image shows a red", ChatFinishReason.Stop), (answer.Content[0].Text, answer.FinishReason));
    }

    [Fact]
    public async Task Limit_of_tokens_ends_the_answer_with_length()
    {
        ChatCompletionOptions options = Greedy;
        options.MaxOutputTokenCount = 4;
        ChatCompletion answer = await demo.Chat().CompleteChatAsync([DemoServer.AboutPicture()], options, Cancellation);
        Assert.Equal((4, ChatFinishReason.Length), (answer.Usage.OutputTokenCount, answer.FinishReason));
        Assert.StartsWith(answer.Content[0].Text, Described, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Seed_reproduces_a_sampled_answer()
    {
        ChatCompletionOptions options = new() { Temperature = 2, TopP = 1, Seed = 5, MaxOutputTokenCount = 30 };
        string first = (await demo.Chat().CompleteChatAsync([DemoServer.AboutPicture()], options, Cancellation)).Value.Content[0].Text;
        Assert.Equal(first, (await demo.Chat().CompleteChatAsync([DemoServer.AboutPicture()], options, Cancellation)).Value.Content[0].Text);
        options.Seed = 6;
        Assert.NotEqual(first, (await demo.Chat().CompleteChatAsync([DemoServer.AboutPicture()], options, Cancellation)).Value.Content[0].Text);
    }

    [Fact]
    public async Task Logit_bias_excludes_a_token()
    {
        ChatCompletionOptions options = Greedy;
        options.LogitBiases[Token(" red")] = -100;
        Assert.DoesNotContain(" red", (await demo.Chat().CompleteChatAsync([DemoServer.AboutPicture()], options, Cancellation)).Value.Content[0].Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Answer_fits_a_schema()
    {
        ChatCompletionOptions options = Greedy;
        options.ResponseFormat = OpenAI.Chat.ChatResponseFormat.CreateJsonSchemaFormat("shape", BinaryData.FromString("""
            {"type":"object","properties":{"color":{"enum":["red","blue"]},"shape":{"type":"string","maxLength":12},"count":{"type":"integer","minimum":1,"maximum":3}},"required":["color","shape","count"],"additionalProperties":false}
            """), jsonSchemaIsStrict: true);
        ChatCompletion answer = await demo.Chat().CompleteChatAsync([DemoServer.AboutPicture("List the shapes as JSON.")], options, Cancellation);
        System.Text.Json.JsonElement shape = System.Text.Json.JsonDocument.Parse(answer.Content[0].Text).RootElement;
        Assert.Equal(["color", "shape", "count"], shape.EnumerateObject().Select(member => member.Name));
        Assert.InRange(shape.GetProperty("count").GetInt32(), 1, 3);
        Assert.Equal(ChatFinishReason.Stop, answer.FinishReason);
    }

    [Fact]
    public async Task Missing_question_is_an_error_in_the_clients_terms()
    {
        ClientResultException error = await Assert.ThrowsAsync<ClientResultException>(() => demo.Chat().CompleteChatAsync([new SystemChatMessage("Be brief.")], Greedy, Cancellation));
        Assert.Equal(400, error.Status);
        Assert.Contains("expected a question of the user", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Cancelled_stream_leaves_nothing_behind()
    {
        using var cancellation = new CancellationTokenSource();
        ChatCompletionOptions options = new() { MaxOutputTokenCount = 1000, Temperature = 0, LogitBiases = { [Token(" red")] = 100 } };
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
        {
            await foreach (StreamingChatCompletionUpdate update in demo.Chat().CompleteChatStreamingAsync([DemoServer.AboutPicture()], options, cancellation.Token))
                if (update.ContentUpdate.Count > 0 && update.ContentUpdate[0].Text.Length > 0)
                    await cancellation.CancelAsync();
        });
        EngineLoad load = await demo.IdleLoadAsync();
        Assert.Equal((0, 0, 0), (load.Running, load.Waiting, load.PagesInUse));
    }

    [Fact]
    public async Task Microsoft_extensions_client_describes_two_pictures()
    {
        IChatClient client = demo.Chat().AsIChatClient();
        var options = new ChatOptions { Temperature = 0, MaxOutputTokens = 60 };
        List<string> answers = [];
        for (int time = 0; time < 2; time++)
        {
            var message = new Microsoft.Extensions.AI.ChatMessage(ChatRole.User, [new DataContent(DemoServer.Picture(), "image/png"), new TextContent("Describe this image.")]);
            ChatResponse response = await client.GetResponseAsync([message], options, Cancellation);
            Assert.Equal(Microsoft.Extensions.AI.ChatFinishReason.Stop, response.FinishReason);
            answers.Add(response.Text);
        }

        Assert.Equal(describedTwice, answers);
    }

    private int Token(string text) => Assert.Single(demo.Server.State.Loaded!.Tokenizer.Encode(text));
}
