using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using XComposer2.Native.Server;
using Xunit;

namespace XComposer2.Native.ServerTests;

/// <summary>Requests that get an error: its status, the field that it names, and its sentence.</summary>
public sealed class RequestErrorTests(DemoServer demo) : IClassFixture<DemoServer>
{
    private const string Question = """
        "messages":[{"role":"user","content":"Hello"}]
        """;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("{", null, "the request is not JSON")]
    [InlineData("[]", null, "the request: expected an object, found an array")]
    [InlineData("{}", "messages", "messages is required")]
    [InlineData("{\"messages\":[]}", "messages", "expected a question of the user")]
    [InlineData("{\"messages\":{}}", "messages", "messages: expected an array, found an object")]
    [InlineData("{\"messages\":[1]}", "messages[0]", "messages[0]: expected an object, found 1")]
    [InlineData("{\"messages\":[{\"role\":\"user\"}]}", "messages[0].content", "messages[0].content is required")]
    [InlineData("{\"messages\":[{\"role\":\"tool\",\"content\":\"x\"}]}", "messages[0].role", "expected system, developer, user or assistant, found 'tool'")]
    [InlineData("{\"messages\":[{\"role\":\"assistant\",\"content\":\"x\"}]}", "messages[0].role", "an answer without a question")]
    [InlineData("{\"messages\":[{\"role\":\"user\",\"content\":\"x\"},{\"role\":\"assistant\",\"content\":\"x\"}]}", "messages", "the last one must be of the user")]
    [InlineData("{\"messages\":[{\"role\":\"user\",\"content\":\"x\"},{\"role\":\"system\",\"content\":\"x\"}]}", "messages[1].role", "must precede all others")]
    [InlineData("{\"messages\":[{\"role\":\"user\",\"content\":\"\"}]}", "messages", "the question is empty")]
    [InlineData("{\"messages\":[{\"role\":\"user\",\"content\":\"<ImageHere>\"}]}", "messages[0].content", "send pictures as parts")]
    [InlineData("{\"modalities\":[1],\"messages\":[{\"role\":\"user\",\"content\":\"x\"}]}", "modalities", "text")]
    [InlineData("{\"tool_choice\":\"\\ud800\",\"messages\":[{\"role\":\"user\",\"content\":\"x\"}]}", "tool_choice", "half of a surrogate pair")]
    [InlineData("{\"messages\":[{\"role\":\"user\",\"content\":\"x\",\"\\udc00\":1}]}", "messages[0]", "half of a surrogate pair")]
    [InlineData("{\"messages\":[{\"role\":\"user\",\"content\":\"\\ud800\"}]}", "messages[0].content", "half of a surrogate pair")]
    [InlineData("{\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"input_audio\"}]}]}", "messages[0].content[0].type", "expected text or image_url")]
    public async Task Malformed_conversation_names_the_field(string body, string? field, string message) => await ExpectAsync(body, field, message);

    [Theory]
    [InlineData("\"temperature\":-1", "temperature", "expected a number, 0 to 100, found -1")]
    [InlineData("\"temperature\":\"hot\"", "temperature", "found \"hot\"")]
    [InlineData("\"temperature\":1e999", "temperature", "expected a number")]
    [InlineData("\"top_p\":0", "top_p", "over 0")]
    [InlineData("\"top_k\":-2", "top_k", "expected an integer")]
    [InlineData("\"max_tokens\":0", "max_tokens", "expected an integer, 1 or more, found 0")]
    [InlineData("\"n\":17", "n", "expected an integer, 1 to 16")]
    [InlineData("\"seed\":1.5", "seed", "64-bit integer")]
    [InlineData("\"stop\":[\"\"]", "stop", "not empty")]
    [InlineData("\"stop\":[1]", "stop[0]", "expected a text")]
    [InlineData("\"logit_bias\":{\"x\":1}", "logit_bias", "ids of tokens")]
    [InlineData("\"logit_bias\":{\"1\":101}", "logit_bias.1", "-100 to 100")]
    [InlineData("\"logit_bias\":{\"9999999\":1}", "logit_bias", "ids of 0 to")]
    [InlineData("\"frequency_penalty\":3", "frequency_penalty", "-2 to 2")]
    [InlineData("\"top_logprobs\":2", "top_logprobs", "requires logprobs")]
    [InlineData("\"logprobs\":true,\"top_logprobs\":21", "top_logprobs", "0 to 20")]
    [InlineData("\"stream\":1", "stream", "true or false")]
    [InlineData("\"prompt_style\":\"other\"", "prompt_style", "is not known")]
    [InlineData("\"tools\":[{}]", "tools", "does not call tools")]
    [InlineData("\"min_p\":0.1", "min_p", "not supported")]
    [InlineData("\"response_format\":{\"type\":\"xml\"}", "response_format.type", "expected text, json_object or json_schema, found 'xml'")]
    [InlineData("\"response_format\":{\"type\":\"json_schema\"}", "response_format.json_schema", "is required")]
    [InlineData("\"response_format\":{\"type\":\"json_schema\",\"json_schema\":{\"name\":\"x\",\"schema\":{\"pattern\":\"a\"}}}", "response_format.json_schema.schema", "the keyword pattern is not supported")]
    [InlineData("\"num_beams\":9", "num_beams", "1 to 8")]
    [InlineData("\"use_beam_search\":true", "num_beams", "needs num_beams")]
    [InlineData("\"num_beams\":2,\"n\":2", "n", "expected 1 with num_beams")]
    [InlineData("\"num_beams\":2,\"length_penalty\":11", "length_penalty", "-10 to 10")]
    [InlineData("\"modalities\":[\"audio\"]", "modalities", "answers are text")]
    public async Task Field_out_of_range_is_named(string field, string name, string message) => await ExpectAsync($"{{{field},{Question}}}", name, message);

    [Theory]
    [InlineData("\"tools\":[]")]
    [InlineData("\"temperature\":null,\"stop\":null,\"unknown_field\":{\"a\":1}")]
    [InlineData("\"user\":\"somebody\",\"store\":false,\"min_p\":0,\"top_k\":-1")]
    public async Task Fields_that_change_nothing_are_accepted(string field)
    {
        (int status, _) = await demo.PostAsync("/v1/chat/completions", $"{{{field},\"max_tokens\":1,{Question}}}");
        Assert.Equal(200, status);
    }

    [Fact]
    public async Task Prompt_longer_than_the_context_has_a_code_of_its_own()
    {
        string text = string.Concat(Enumerable.Repeat("How many shapes are there? ", 3000));
        (int status, JsonElement body) = await demo.PostAsync("/v1/chat/completions", DemoServer.ChatBody("", DemoServer.TextPart(text)));
        Assert.Equal((400, "context_length_exceeded"), (status, body.GetProperty("error").GetProperty("code").GetString()));
    }

    [Fact]
    public async Task Texts_longer_than_any_context_are_not_tokenised()
    {
        string part = DemoServer.TextPart(new string('x', 400_000));
        (int status, JsonElement body) = await demo.PostAsync("/v1/chat/completions", DemoServer.ChatBody("", part, part, part));
        Assert.Equal((400, "context_length_exceeded", "messages[0].content[2]"), (status, body.GetProperty("error").GetProperty("code").GetString(), body.GetProperty("error").GetProperty("param").GetString()));
        (status, body) = await demo.PostAsync("/v1/completions", $$"""{"prompt":"{{new string('x', 1_100_000)}}"}""");
        Assert.Equal((400, "prompt"), (status, body.GetProperty("error").GetProperty("param").GetString()));
    }

    [Fact]
    public async Task Body_over_the_limit_is_refused()
    {
        await using DemoServer small = await DemoServer.OfAsync(new ServerOptions { MaxBodyBytes = 4096 });
        for (int time = 0; time < 50; time++)
        {
            (int status, JsonElement body) = await small.PostAsync("/v1/chat/completions", DemoServer.ChatBody("", DemoServer.TextPart(new string('x', 5000 + (time * 1000)))));
            Assert.Equal((413, "request_too_large"), (status, body.GetProperty("error").GetProperty("code").GetString()));
        }
    }

    [Theory]
    [InlineData("GET", "/v1/chat/completions", 405)]
    [InlineData("POST", "/health", 405)]
    [InlineData("GET", "/v1/nothing", 404)]
    [InlineData("GET", "/v1/models/other", 404)]
    [InlineData("GET", "/../etc/passwd", 404)]
    public async Task Unknown_path_or_method_is_refused(string method, string path, int status)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), path);
        using HttpResponseMessage response = await demo.Http.SendAsync(request, Cancellation);
        Assert.Equal(status, (int)response.StatusCode);
        Assert.Equal("invalid_request_error", (await JsonOf(response)).GetProperty("error").GetProperty("type").GetString());
    }

    [Theory]
    [InlineData("text/plain")]
    [InlineData("application/x-www-form-urlencoded")]
    public async Task Other_content_types_are_refused(string type)
    {
        using var content = new StringContent($"{{{Question}}}", new MediaTypeHeaderValue(type));
        using HttpResponseMessage response = await demo.Http.PostAsync(new Uri("/v1/chat/completions", UriKind.Relative), content, Cancellation);
        Assert.Equal(HttpStatusCode.UnsupportedMediaType, response.StatusCode);
    }

    [Fact]
    public async Task Other_names_of_this_machine_are_refused()
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/v1/models") { Headers = { Host = "attacker.example" } };
        using HttpResponseMessage response = await demo.Http.SendAsync(request, Cancellation);
        Assert.Equal(HttpStatusCode.Forbidden, response.StatusCode);
    }

    [Theory]
    [InlineData(null, null, 401)]
    [InlineData("Authorization", "Bearer wrong", 401)]
    [InlineData("Authorization", "Basic second", 401)]
    [InlineData("Authorization", "Bearer first", 200)]
    [InlineData("x-api-key", "second", 200)]
    [InlineData("x-api-key", "secon", 401)]
    public async Task Keys_are_checked(string? header, string? value, int status)
    {
        await using DemoServer locked = await DemoServer.OfAsync(new ServerOptions { ApiKeys = ["first", "second"] });
        using var request = new HttpRequestMessage(HttpMethod.Get, "/v1/models");
        if (header is not null)
            request.Headers.TryAddWithoutValidation(header, value);
        using HttpResponseMessage response = await locked.Http.SendAsync(request, Cancellation);
        Assert.Equal(status, (int)response.StatusCode);
        using HttpResponseMessage health = await locked.Http.GetAsync(new Uri("/health", UriKind.Relative), Cancellation);
        Assert.Equal(HttpStatusCode.OK, health.StatusCode);
    }

    private async Task ExpectAsync(string body, string? field, string message)
    {
        (int status, JsonElement response) = await demo.PostAsync("/v1/chat/completions", body);
        JsonElement error = response.GetProperty("error");
        Assert.Equal((400, "invalid_request_error", field), (status, error.GetProperty("type").GetString(), error.GetProperty("param").GetString()));
        Assert.Contains(message, error.GetProperty("message").GetString(), StringComparison.Ordinal);
    }

    private static async Task<JsonElement> JsonOf(HttpResponseMessage response) => JsonDocument.Parse(await response.Content.ReadAsStringAsync(Cancellation)).RootElement;
}
