using System.Net.Http.Json;
using System.Text.Json;
using System.Text.RegularExpressions;
using Microsoft.OpenApi;
using Microsoft.OpenApi.Reader;
using XComposer2.Native.Server;
using Xunit;

namespace XComposer2.Native.ServerTests;

/// <summary>/openapi.json: valid, complete, and what it says of requests and responses holds for real ones.</summary>
public sealed partial class OpenApiTests(ComposeServer server) : IClassFixture<ComposeServer>
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Document_is_valid()
    {
        using Stream document = await server.Demo.Http.GetStreamAsync(new Uri("/openapi.json", UriKind.Relative), Cancellation);
        using var whole = new MemoryStream();
        await document.CopyToAsync(whole, Cancellation);
        whole.Position = 0;
        ReadResult read = await OpenApiDocument.LoadAsync(whole, "json", null, Cancellation);
        Assert.Empty(read.Diagnostic!.Errors.Select(error => error.Message));
        Assert.Empty(read.Diagnostic.Warnings.Select(warning => warning.Message));
    }

    [Fact]
    public async Task Every_route_is_described_and_every_described_path_is_served()
    {
        JsonElement paths = (await DocumentAsync()).GetProperty("paths");
        Route[] routes = XComposerServer.Routes(server.Demo.Server.State);
        (string Method, string Path)[] described = [.. paths.EnumerateObject().SelectMany(path => path.Value.EnumerateObject().Select(operation => (operation.Name.ToUpperInvariant(), path.Name)))];
        HashSet<Route> found = [];
        foreach ((string method, string path) in described)
        {
            string real = Parameter().Replace(path, "x");
            Route? route = Array.Find(routes, route => route.Method == method && (route.Path == real || (route.Path[^1] == '/' && real.StartsWith(route.Path, StringComparison.Ordinal))));
            Assert.True(route is not null, $"{method} {path} is not served");
            found.Add(route!);
            Assert.Equal(route!.IsOpen, paths.GetProperty(path).GetProperty(method.ToLowerInvariant()).TryGetProperty("security", out JsonElement security) && security.GetArrayLength() == 0);
        }

        Assert.Empty(routes.Where(route => !found.Contains(route)).Select(route => $"{route.Method} {route.Path}"));
    }

    [Fact]
    public async Task Examples_are_answered_as_described()
    {
        string article = await server.ComposeTextAsync();
        JsonElement document = await DocumentAsync();
        int examples = 0;
        foreach (JsonProperty path in document.GetProperty("paths").EnumerateObject())
            foreach (JsonProperty operation in path.Value.EnumerateObject().Where(operation => operation.Name == "post"))
            {
                JsonElement example = operation.Value.GetProperty("requestBody").GetProperty("content").GetProperty("application/json").GetProperty("example");
                JsonElement asked = operation.Value.GetProperty("requestBody").GetProperty("content").GetProperty("application/json").GetProperty("schema");
                Assert.Empty(JsonSchemaCheck.Problems(document, asked, example, path.Name));
                (int status, JsonElement body) = await server.Demo.PostAsync(path.Name.Replace("{id}", article, StringComparison.Ordinal), example.GetRawText());
                Assert.Equal(path.Name.EndsWith("/resume", StringComparison.Ordinal) ? 409 : 200, status);
                Assert.Empty(Problems(document, operation.Value, status, body, path.Name));
                examples++;
            }

        Assert.Equal(12, examples);
    }

    [Theory]
    [InlineData("/v1/models", "/v1/models")]
    [InlineData("/health", "/health")]
    [InlineData("/props", "/props")]
    [InlineData("/v1/xc2/articles", "/v1/xc2/articles")]
    [InlineData("/v1/models/{model}", "/v1/models/nobody")]
    [InlineData("/v1/xc2/articles/{id}", "/v1/xc2/articles/nothing")]
    public async Task Responses_are_as_described(string path, string asked)
    {
        JsonElement document = await DocumentAsync();
        using HttpResponseMessage response = await server.Demo.Http.GetAsync(new Uri(asked, UriKind.Relative), Cancellation);
        Assert.Empty(Problems(document, document.GetProperty("paths").GetProperty(path).GetProperty("get"), (int)response.StatusCode, await response.Content.ReadFromJsonAsync<JsonElement>(Cancellation), path));
    }

    [Theory]
    [InlineData("/v1/chat/completions", """{"messages":[{"role":"user","content":"Hello"}],"max_tokens":4,"n":2,"logprobs":true,"top_logprobs":2}""")]
    [InlineData("/v1/completions", """{"prompt":"Hello","max_tokens":4,"logprobs":2}""")]
    [InlineData("/v1/messages", """{"messages":[{"role":"robot","content":"Hello"}],"max_tokens":4}""")]
    [InlineData("/v1/xc2/compose", """{"instruction":"Write a short article about the park. Outline: a red circle.","figures":1,"temperature":0}""")]
    public async Task Other_answers_are_as_described(string path, string request)
    {
        JsonElement document = await DocumentAsync();
        (int status, JsonElement body) = await server.Demo.PostAsync(path, request);
        Assert.Empty(Problems(document, document.GetProperty("paths").GetProperty(path).GetProperty("post"), status, body, path));
    }

    [Fact]
    public void Check_of_schemas_finds_what_is_wrong()
    {
        JsonElement schema = JsonDocument.Parse("""{"type":"object","required":["a"],"properties":{"a":{"type":"integer"},"b":{"type":["string","null"]}}}""").RootElement;
        Assert.Empty(Problems("""{"a":1,"b":null}"""));
        Assert.Equal(["$.a is missing"], Problems("{}"));
        Assert.Equal(["$.a is String, not integer"], Problems("""{"a":"1"}"""));
        Assert.Equal(["$.c is not described"], Problems("""{"a":1,"c":2}"""));

        string[] Problems(string json) => [.. JsonSchemaCheck.Problems(schema, schema, JsonDocument.Parse(json).RootElement, "$")];
    }

    private static IEnumerable<string> Problems(JsonElement document, JsonElement operation, int status, JsonElement body, string name)
    {
        if (!operation.GetProperty("responses").TryGetProperty($"{status}", out JsonElement response))
            return [$"{name}: status {status} is not described"];
        response = JsonSchemaCheck.Resolve(document, response);
        return JsonSchemaCheck.Problems(document, response.GetProperty("content").GetProperty("application/json").GetProperty("schema"), body, name);
    }

    private Task<JsonElement> DocumentAsync() => server.Demo.Http.GetFromJsonAsync<JsonElement>(new Uri("/openapi.json", UriKind.Relative), Cancellation);

    [GeneratedRegex("{[a-z]+}")]
    private static partial Regex Parameter();
}

/// <summary>Compares JSON with the part of JSON Schema that the document uses. What a schema of properties does not name is a problem too.</summary>
internal static class JsonSchemaCheck
{
    public static JsonElement Resolve(JsonElement document, JsonElement element)
    {
        while (element.TryGetProperty("$ref", out JsonElement reference))
        {
            element = document;
            foreach (string part in reference.GetString()![2..].Split('/'))
                element = element.GetProperty(part);
        }

        return element;
    }

    public static IEnumerable<string> Problems(JsonElement document, JsonElement schema, JsonElement value, string name)
    {
        schema = Resolve(document, schema);
        if (schema.TryGetProperty("oneOf", out JsonElement choices))
            return choices.EnumerateArray().Any(choice => !Problems(document, choice, value, name).Any()) ? [] : [$"{name} is none of the described forms"];
        if (!schema.TryGetProperty("type", out JsonElement type))
            return [];
        string[] types = type.ValueKind == JsonValueKind.String ? [type.GetString()!] : [.. type.EnumerateArray().Select(one => one.GetString()!)];
        if (!types.Any(one => Fits(one, value)))
            return [$"{name} is {value.ValueKind}, not {string.Join(" or ", types)}"];
        if (schema.TryGetProperty("enum", out JsonElement names) && value.ValueKind == JsonValueKind.String && !names.EnumerateArray().Any(one => one.GetString() == value.GetString()))
            return [$"{name} is {value}, which is not described"];
        return value.ValueKind switch
        {
            JsonValueKind.Array when schema.TryGetProperty("items", out JsonElement items) => value.EnumerateArray().SelectMany((item, index) => Problems(document, items, item, $"{name}[{index}]")),
            JsonValueKind.Object when schema.TryGetProperty("properties", out JsonElement properties) => OfObject(document, schema, properties, value, name),
            _ => [],
        };
    }

    private static IEnumerable<string> OfObject(JsonElement document, JsonElement schema, JsonElement properties, JsonElement value, string name)
    {
        if (schema.TryGetProperty("required", out JsonElement required))
            foreach (JsonElement wanted in required.EnumerateArray().Where(wanted => !value.TryGetProperty(wanted.GetString()!, out _)))
                yield return $"{name}.{wanted} is missing";
        foreach (JsonProperty member in value.EnumerateObject())
            if (!properties.TryGetProperty(member.Name, out JsonElement described))
                yield return $"{name}.{member.Name} is not described";
            else
                foreach (string problem in Problems(document, described, member.Value, $"{name}.{member.Name}"))
                    yield return problem;
    }

    private static bool Fits(string type, JsonElement value) => type switch
    {
        "object" => value.ValueKind == JsonValueKind.Object,
        "array" => value.ValueKind == JsonValueKind.Array,
        "string" => value.ValueKind == JsonValueKind.String,
        "boolean" => value.ValueKind is JsonValueKind.True or JsonValueKind.False,
        "null" => value.ValueKind == JsonValueKind.Null,
        "integer" => value.ValueKind == JsonValueKind.Number && !value.GetRawText().Contains('.', StringComparison.Ordinal),
        _ => value.ValueKind == JsonValueKind.Number,
    };
}
