using System.Collections.Concurrent;
using System.Diagnostics;
using Xunit;

namespace XComposer2.Native.ServerTests;

/// <summary>Traces of answers have OpenTelemetry's names for generative AI, and no prompts.</summary>
public sealed class TelemetryTests(DemoServer demo) : IClassFixture<DemoServer>
{
    private const string Secret = "How many secret shapes are there?";

    [Fact]
    public async Task Span_of_an_answer_has_the_names_of_opentelemetry()
    {
        var seen = new ConcurrentBag<Activity>();
        using ActivityListener listener = Listen(seen);
        await demo.PostAsync("/v1/chat/completions", DemoServer.ChatBody("\"max_tokens\":3,\"seed\":4711,\"n\":2", DemoServer.TextPart(Secret)));
        // The client has its answer before the server has ended the span.
        await UntilAsync(() => seen.Any(one => 4711L.Equals(one.GetTagItem("gen_ai.request.seed"))));
        Activity span = Assert.Single(seen, one => 4711L.Equals(one.GetTagItem("gen_ai.request.seed")));
        Assert.StartsWith("chat ", span.DisplayName, StringComparison.Ordinal);
        Assert.Equal(("chat", "xcomposer2.native", 3, 2, 6), (span.GetTagItem("gen_ai.operation.name"), span.GetTagItem("gen_ai.provider.name"), span.GetTagItem("gen_ai.request.max_tokens"), span.GetTagItem("gen_ai.request.choice.count"), span.GetTagItem("gen_ai.usage.output_tokens")));
        Assert.Equal(["length", "length"], (string[])span.GetTagItem("gen_ai.response.finish_reasons")!);
        Assert.DoesNotContain(span.TagObjects, tag => tag.Value?.ToString()?.Contains("secret", StringComparison.Ordinal) == true);
        Assert.Equal(ActivityStatusCode.Unset, span.Status);
    }

    [Fact]
    public async Task Refused_picture_ends_the_span_with_its_error()
    {
        var seen = new ConcurrentBag<Activity>();
        using ActivityListener listener = Listen(seen);
        (int status, _) = await demo.PostAsync("/v1/chat/completions", DemoServer.ChatBody("\"seed\":4712", DemoServer.PicturePart("AAAA")));
        Assert.Equal(400, status);
        await UntilAsync(() => seen.Any(one => 4712L.Equals(one.GetTagItem("gen_ai.request.seed"))));
        Activity span = Assert.Single(seen, one => 4712L.Equals(one.GetTagItem("gen_ai.request.seed")));
        Assert.Equal(ActivityStatusCode.Error, span.Status);
        Assert.NotNull(span.GetTagItem("error.type"));
    }

    private static ActivityListener Listen(ConcurrentBag<Activity> seen)
    {
        var listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name == "XComposer2.Native.Server",
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllData,
            ActivityStopped = seen.Add,
        };
        ActivitySource.AddActivityListener(listener);
        return listener;
    }

    private static async Task UntilAsync(Func<bool> isDone)
    {
        for (int attempt = 0; attempt < 200 && !isDone(); attempt++)
            await Task.Delay(10, TestContext.Current.CancellationToken);
    }
}
