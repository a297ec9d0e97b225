using System.ClientModel;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.AI;
using OpenAI;
using OpenAI.Responses;
using XComposer2.Native.Server;
using Xunit;

namespace XComposer2.Native.ServerTests;

/// <summary>OpenAI's Responses API with its own client, and Anthropic's Messages API.</summary>
public sealed class OtherDialectTests(DemoServer demo) : IClassFixture<DemoServer>
{
    private const string Described = "The image shows a red star at the top.";

    private static readonly string picture = Convert.ToBase64String(DemoServer.Picture());

    private static readonly string question = $$$"""{"role":"user","content":[{"type":"image","source":{"type":"base64","media_type":"image/png","data":"{{{picture}}}"}},{"type":"text","text":"Describe this image."}]}""";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Responses_client_describes_a_picture_whole_and_streamed()
    {
        IChatClient client = new ResponsesClient(new ApiKeyCredential("any"), new ResponsesClientOptions { Endpoint = new Uri(demo.Http.BaseAddress!, "/v1") }).AsIChatClient(DemoServer.Model);
        ChatMessage message = new(ChatRole.User, [new DataContent(DemoServer.Picture(), "image/png"), new TextContent("Describe this image.")]);
        var options = new ChatOptions { Temperature = 0, MaxOutputTokens = 60, Instructions = "" };
        ChatResponse whole = await client.GetResponseAsync([message], options, Cancellation);
        var streamed = new StringBuilder();
        await foreach (ChatResponseUpdate update in client.GetStreamingResponseAsync([message], options, Cancellation))
            streamed.Append(update.Text);
        Assert.Equal((Described, Described), (whole.Text, streamed.ToString()));
        Assert.True(whole.Usage!.InputTokenCount > 0 && whole.Usage.OutputTokenCount > 0);
    }

    [Fact]
    public async Task Response_that_is_cut_off_is_incomplete()
    {
        (int status, JsonElement body) = await demo.PostAsync("/v1/responses", """{"input":"Hello","max_output_tokens":2,"temperature":0}""");
        Assert.Equal((200, "response", "incomplete", "max_output_tokens"), (status, body.GetProperty("object").GetString(), body.GetProperty("status").GetString(), body.GetProperty("incomplete_details").GetProperty("reason").GetString()));
    }

    [Fact]
    public async Task Events_of_a_response_are_numbered()
    {
        (string? Name, JsonElement Data)[] events = await EventsAsync("/v1/responses", """{"input":"Hello","max_output_tokens":200,"temperature":0,"stream":true}""");
        Assert.Equal(Enumerable.Range(0, events.Length), events.Select(next => next.Data.GetProperty("sequence_number").GetInt32()));
        Assert.All(events, next => Assert.Equal(next.Name, next.Data.GetProperty("type").GetString()));
        Assert.Equal(("response.created", "response.completed"), (events[0].Name, events[^1].Name));
        string text = string.Concat(events.Where(next => next.Name == "response.output_text.delta").Select(next => next.Data.GetProperty("delta").GetString()));
        Assert.Equal(text, events[^1].Data.GetProperty("response").GetProperty("output")[0].GetProperty("content")[0].GetProperty("text").GetString());
    }

    [Theory]
    [InlineData("{}", "input", "input is required")]
    [InlineData("{\"input\":[]}", "input", "expected a question of the user")]
    [InlineData("{\"input\":\"x\",\"previous_response_id\":\"resp_1\"}", "previous_response_id", "nothing is stored")]
    [InlineData("{\"input\":\"x\",\"text\":{\"format\":{\"type\":\"xml\"}}}", "text.format.type", "expected text, json_object or json_schema")]
    public async Task Response_that_cannot_be_made_names_the_field(string body, string field, string message)
    {
        (int status, JsonElement response) = await demo.PostAsync("/v1/responses", body);
        Assert.Equal((400, field), (status, response.GetProperty("error").GetProperty("param").GetString()));
        Assert.Contains(message, response.GetProperty("error").GetProperty("message").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Message_describes_a_picture()
    {
        (int status, JsonElement body) = await demo.PostAsync("/v1/messages", $$"""{"model":"demo","max_tokens":60,"temperature":0,"messages":[{{question}}]}""");
        Assert.Equal(200, status);
        Assert.Equal(("message", "assistant", "end_turn", JsonValueKind.Null), (body.GetProperty("type").GetString(), body.GetProperty("role").GetString(), body.GetProperty("stop_reason").GetString(), body.GetProperty("stop_sequence").ValueKind));
        Assert.Equal(("text", Described), (body.GetProperty("content")[0].GetProperty("type").GetString(), body.GetProperty("content")[0].GetProperty("text").GetString()));
        JsonElement usage = body.GetProperty("usage");
        (_, JsonElement count) = await demo.PostAsync("/v1/messages/count_tokens", $$"""{"model":"demo","messages":[{{question}}]}""");
        Assert.Equal(count.GetProperty("input_tokens").GetInt32(), usage.GetProperty("input_tokens").GetInt32() + usage.GetProperty("cache_read_input_tokens").GetInt32());
    }

    [Fact]
    public async Task Message_names_the_stop_text_that_ended_it()
    {
        (_, JsonElement body) = await demo.PostAsync("/v1/messages", $$"""{"max_tokens":60,"temperature":0,"stop_sequences":["never"," star"],"messages":[{{question}}]}""");
        Assert.Equal(("stop_sequence", " star", "The image shows a red"), (body.GetProperty("stop_reason").GetString(), body.GetProperty("stop_sequence").GetString(), body.GetProperty("content")[0].GetProperty("text").GetString()));
    }

    [Fact]
    public async Task Message_continues_a_beginning_under_a_system_text()
    {
        (_, JsonElement body) = await demo.PostAsync("/v1/messages", $$"""{"max_tokens":60,"temperature":0,"system":[{"type":"text","text":""}],"messages":[{{question}},{"role":"assistant","content":"The image shows"}]}""");
        Assert.Equal(" a red star at the top.", body.GetProperty("content")[0].GetProperty("text").GetString());
    }

    [Fact]
    public async Task Events_of_a_message_have_their_order()
    {
        (string? Name, JsonElement Data)[] events = await EventsAsync("/v1/messages", $$"""{"max_tokens":60,"temperature":0,"stream":true,"messages":[{{question}}]}""");
        Assert.All(events, next => Assert.Equal(next.Name, next.Data.GetProperty("type").GetString()));
        Assert.Equal(["message_start", "content_block_start", "content_block_delta", "content_block_stop", "message_delta", "message_stop"], events.Select(next => next.Name).Distinct());
        Assert.Equal(Described, string.Concat(events.Where(next => next.Name == "content_block_delta").Select(next => next.Data.GetProperty("delta").GetProperty("text").GetString())));
    }

    [Theory]
    [InlineData("{\"messages\":[{\"role\":\"user\",\"content\":\"x\"}]}", 400, "invalid_request_error", "max_tokens is required")]
    [InlineData("{\"max_tokens\":5,\"messages\":[{\"role\":\"user\",\"content\":\"x\"}],\"tools\":[{}]}", 400, "invalid_request_error", "does not call tools")]
    [InlineData("{\"max_tokens\":5,\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"image\",\"source\":{\"type\":\"file\"}}]}]}", 400, "invalid_request_error", "expected base64 or url")]
    public async Task Error_of_a_message_has_the_form_of_its_api(string body, int status, string type, string message)
    {
        (int found, JsonElement response) = await demo.PostAsync("/v1/messages", body);
        JsonElement error = response.GetProperty("error");
        Assert.Equal((status, "error", type), (found, response.GetProperty("type").GetString(), error.GetProperty("type").GetString()));
        Assert.Contains(message, error.GetProperty("message").GetString(), StringComparison.Ordinal);
    }

    private async Task<(string? Name, JsonElement Data)[]> EventsAsync(string path, string body)
    {
        using var content = new StringContent(body, Encoding.UTF8, "application/json");
        using HttpResponseMessage response = await demo.Http.PostAsync(new Uri(path, UriKind.Relative), content, Cancellation);
        string[] blocks = (await response.Content.ReadAsStringAsync(Cancellation)).Split("\n\n", StringSplitOptions.RemoveEmptyEntries);
        return [.. blocks.Select(block => block.Split('\n')).Select(lines => (lines[0]["event: ".Length..], JsonDocument.Parse(lines[1]["data: ".Length..]).RootElement))];
    }
}
