using System.Globalization;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using XComposer2.Native.Server;
using Xunit;

namespace XComposer2.Native.ServerTests;

/// <summary>
/// Mutated bodies for every path that takes one, handled in process without sockets. Each gets a status of the client's making with a message, and nothing stays in use.
/// XC2_FUZZ_REQUESTS sets their number, XC2_FUZZ_SEED the seed: tests/FUZZING.md has the last long run.
/// </summary>
public sealed class RequestFuzzTests(ComposeServer server) : IClassFixture<ComposeServer>
{
    private const int UsualRequests = 5_000;

    private static readonly int[] expectedStatuses = [200, 400, 404, 409, 413, 415, 422, 429];

    // Values that a mutation puts in the place of another.
    private static readonly string[] values =
    [
        "null", "true", "-1", "0", "1e400", "1e-400", "9223372036854775808", "0.1", "2147483648", "\"\"", "\"\\ud800\"", "\"\\u0000\"", "\"<ImageHere>\"", "\"[UNUSED_TOKEN_145]\"", "[]", "{}", "[[]]",
        "{\"a\":{}}", "\"data:image/png;base64,AAAA\"", "\"file:///etc/passwd\"", "\"http://127.0.0.1/\"", "[null]", "\"\u4e2d\u6587\"",
    ];

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Mutated_bodies_have_a_status_with_a_cause()
    {
        int count = Setting("XC2_FUZZ_REQUESTS", UsualRequests), first = Setting("XC2_FUZZ_SEED", 7);
        string article = await server.ComposeTextAsync();
        (string Path, byte[] Body)[] seeds = [.. Seeds(article).Select(seed => (seed.Path, Encoding.UTF8.GetBytes(seed.Body)))];
        foreach ((string path, byte[] body) in seeds)
        {
            (int status, string answer) = await AskAsync(path, body);
            Assert.True(status == (path.EndsWith("/resume", StringComparison.Ordinal) ? 409 : 200), $"{path}: {answer}");
        }

        SortedDictionary<int, int> statuses = [];
        await Parallel.ForEachAsync(Enumerable.Range(0, count), new ParallelOptions { MaxDegreeOfParallelism = 4, CancellationToken = Cancellation }, async (number, _) =>
        {
            var random = new Random(unchecked((first * 1_000_003) + number));
            (string path, byte[] plain) = seeds[number % seeds.Length];
            byte[] body = Mutated(plain, random);
            (int status, string answer) = await AskAsync(path, body);
            lock (statuses)
                statuses[status] = statuses.GetValueOrDefault(status) + 1;
            Assert.True(expectedStatuses.Contains(status), $"{path} {status} {answer}: {Encoding.UTF8.GetString(body)}");
            if (status != 200)
                Assert.False(string.IsNullOrEmpty(JsonDocument.Parse(answer).RootElement.GetProperty("error").GetProperty("message").GetString()), answer);
        });
        TestContext.Current.TestOutputHelper?.WriteLine($"{count} bodies, seed {first}: {string.Join(", ", statuses.Select(status => $"{status.Key}: {status.Value}"))}");
        Assert.True(statuses.GetValueOrDefault(200) > count / 100 && statuses.GetValueOrDefault(400) > count / 4);
        EngineLoad load = await server.Demo.IdleLoadAsync();
        Assert.Equal((0, 0, 0), (load.Running, load.Waiting, load.PagesInUse));
        Assert.Equal(200, (await AskAsync(seeds[0].Path, seeds[0].Body)).Status);
    }

    private static IEnumerable<(string Path, string Body)> Seeds(string article)
    {
        string picture = DemoServer.DataUrl(DemoServer.Picture());
        yield return ("/v1/chat/completions", """{"model":"demo","max_tokens":2,"temperature":0.5,"top_p":0.9,"top_k":3,"stop":["a","b"],"logit_bias":{"5":1},"logprobs":true,"top_logprobs":2,"n":2,"seed":3,"modalities":["text"],"tool_choice":"none","tools":[],"user":"u","messages":[{"role":"system","content":"s"},{"role":"user","content":[{"type":"text","text":"x"}]}]}""");
        yield return ("/v1/chat/completions", """{"max_tokens":2,"stream":true,"stream_options":{"include_usage":true},"continue_final_message":true,"messages":[{"role":"user","content":"x"},{"role":"assistant","content":"y"},{"role":"user","content":"z"},{"role":"assistant","content":"The"}]}""");
        yield return ("/v1/chat/completions", $$$"""{"max_tokens":2,"messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"{{{picture}}}"}},{"type":"text","text":"x"}]}]}""");
        yield return ("/v1/chat/completions", """{"max_tokens":2,"temperature":0,"response_format":{"type":"json_schema","json_schema":{"name":"n","schema":{"type":"object","required":["a"],"properties":{"a":{"type":"integer","minimum":1,"maximum":9},"b":{"enum":["x",1]},"c":{"type":"array","items":{"$ref":"#/$defs/d"}}},"$defs":{"d":{"type":"string","maxLength":4}}}}},"messages":[{"role":"user","content":"x"}]}""");
        yield return ("/v1/completions", """{"prompt":["x",[5,6]],"max_tokens":2,"logprobs":2,"n":1,"frequency_penalty":0.5,"presence_penalty":-0.5,"ignore_eos":true,"add_special_tokens":false}""");
        yield return ("/v1/responses", """{"input":[{"role":"user","content":[{"type":"input_text","text":"x"}]}],"instructions":"s","max_output_tokens":2,"text":{"format":{"type":"text"}}}""");
        yield return ("/v1/messages", """{"model":"demo","system":[{"type":"text","text":"s"}],"max_tokens":2,"stop_sequences":["q"],"messages":[{"role":"user","content":[{"type":"text","text":"x"}]},{"role":"assistant","content":"The"}]}""");
        yield return ("/v1/messages/count_tokens", $$$"""{"model":"demo","messages":[{"role":"user","content":[{"type":"image","source":{"type":"base64","media_type":"image/png","data":"{{{picture[22..]}}}"}},{"type":"text","text":"x"}]}]}""");
        yield return ("/tokenize", """{"content":"Hello","add_special":true,"parse_special":false}""");
        yield return ("/detokenize", """{"tokens":[1,2,300]}""");
        yield return ("/apply-template", """{"prompt_style":"train","messages":[{"role":"user","content":"x"}]}""");
        yield return ("/v1/xc2/outline", """{"title":"The park","material":["a","b"],"seed":4,"temperature":0}""");
        yield return ("/v1/xc2/compose", """{"title":"the park","outline":["a red circle"],"material":["m"],"figures":0,"candidates":2,"seed":5,"temperature":0,"max_tokens":4,"meta":true,"picture_size":64}""");
        yield return ($"/v1/xc2/articles/{article}/edit", """{"op":"set-title","title":"The park"}""");
        yield return ($"/v1/xc2/articles/{article}/edit", """{"op":"insert-after","section":1,"instruction":"a green star","max_tokens":3,"temperature":0,"seed":1,"stream":true}""");
        yield return ($"/v1/xc2/articles/{article}/resume", """{"finish":true,"stream":true}""");
    }

    private async Task<(int Status, string Answer)> AskAsync(string path, byte[] body)
    {
        using var answer = new MemoryStream();
        var context = new DefaultHttpContext { TraceIdentifier = "fuzz" };
        context.Request.Method = "POST";
        context.Request.Path = path;
        context.Request.Host = new HostString("localhost");
        context.Request.ContentType = "application/json";
        context.Request.Body = new MemoryStream(body);
        context.Response.Body = answer;
        await server.Demo.Server.Pipeline.HandleAsync(context);
        return (context.Response.StatusCode, Encoding.UTF8.GetString(answer.ToArray()));
    }

    private static byte[] Mutated(byte[] plain, Random random)
    {
        List<byte> bytes = [.. plain];
        for (int change = random.Next(1, 4); change > 0 && bytes.Count > 0; change--)
        {
            int place = random.Next(Math.Min(bytes.Count, 2000));
            switch (random.Next(6))
            {
                case 0:
                    bytes[place] = (byte)random.Next(256);
                    break;
                case 1:
                    bytes.RemoveRange(place, Math.Min(random.Next(1, 20), bytes.Count - place));
                    break;
                case 2:
                    bytes.Insert(place, (byte)"\"{}[]:,0-9\\u"[random.Next(12)]);
                    break;
                case 3:
                    bytes.InsertRange(place, bytes.GetRange(place, Math.Min(random.Next(1, 60), bytes.Count - place)));
                    break;
                default:
                    Replace(bytes, place, random);
                    break;
            }
        }

        return [.. bytes];
    }

    // The value after the next colon or bracket, so that the body stays JSON.
    private static void Replace(List<byte> bytes, int place, Random random)
    {
        int start = bytes.FindIndex(place, one => one is (byte)':' or (byte)'[') + 1;
        if (start == 0)
            return;
        int depth = 0, end = start;
        for (bool isText = false; end < bytes.Count; end++)
        {
            byte one = bytes[end];
            if (one == '"' && (end == start || bytes[end - 1] != '\\'))
                isText = !isText;
            if (isText)
                continue;
            if (depth == 0 && one is (byte)',' or (byte)'}' or (byte)']' && depth == 0)
                break;
            depth += one is (byte)'{' or (byte)'[' ? 1 : one is (byte)'}' or (byte)']' ? -1 : 0;
        }

        bytes.RemoveRange(start, end - start);
        bytes.InsertRange(start, Encoding.UTF8.GetBytes(values[random.Next(values.Length)]));
    }

    private static int Setting(string name, int usual) => int.TryParse(Environment.GetEnvironmentVariable(name), NumberStyles.None, CultureInfo.InvariantCulture, out int value) ? value : usual;
}
