using System.Diagnostics;
using Microsoft.Extensions.Logging;

namespace XComposer2.Native.Server;

/// <summary>Runs the answers of one request: admission, metrics, and what its token means.</summary>
internal sealed partial class AnswerRun : IDisposable
{
    private readonly ApiRequest request;
    private readonly RequestGate.Admission admission;
    private readonly AnswerGroup group;
    private readonly string model;
    private readonly Activity? span;
    private readonly List<GenerationResult> finished = [];
    private Exception? problem;
    private bool hasBegun;

    private AnswerRun(ApiRequest request, RequestGate.Admission admission, AnswerGroup group, string model, Activity? span)
    {
        this.span = span;
        this.model = model;
        this.request = request;
        this.admission = admission;
        this.group = group;
    }

    /// <summary>Loads pictures and submits all answers.</summary>
    /// <param name="request">Not owned.</param>
    /// <param name="engine">Answers.</param>
    /// <param name="plans">Without their pictures.</param>
    /// <param name="pictures">Of the one plan that has some.</param>
    public static async Task<AnswerRun> StartAsync(ApiRequest request, LoadedEngine engine, IReadOnlyList<AnswerPlan> plans, IReadOnlyList<PictureReference> pictures)
    {
        foreach (AnswerPlan plan in plans)
            engine.Require(plan.Options);
        int count = plans.Sum(plan => plan.Count);
        RequestGate.Admission admission = engine.Gate.Enter(count);
        Activity? span = request.Server.Telemetry.Begin(OperationOf(request), engine.Name, plans[0].Options, count);
        try
        {
            IReadOnlyList<ImageInput> inputs = await request.Server.Pictures.LoadAsync(pictures, request.Ended).ConfigureAwait(false);
            if (request.Server.Options.LogsPrompts)
                foreach (string text in plans.Select(plan => PromptText.Of(engine.Tokenizer, plan.Pieces)))
                    LogPrompt(request.Server.Log, request.Http.TraceIdentifier, text);
            AnswerGroup group = await AnswerGroup.StartAsync(engine.Engine.Answers, [.. plans.Select(plan => plan with { Pictures = inputs })], request.Ended).ConfigureAwait(false);
            return new AnswerRun(request, admission, group, engine.Name, span);
        }
        catch (Exception failure)
        {
            Telemetry.End(span, [], failure);
            admission.Dispose();
            if (failure is OperationCanceledException cancelled)
                throw request.Explain(cancelled);
            throw;
        }
    }

    /// <summary>Waits for all answers.</summary>
    public async Task<IReadOnlyList<GenerationResult>> FinishAsync()
    {
        await foreach (AnswerEvent _ in EventsAsync(null).ConfigureAwait(false))
        {
        }

        return group.Results;
    }

    /// <summary>Everything that happens, in order.</summary>
    /// <param name="stream">Gets comments while nothing happens; null for none.</param>
    public async IAsyncEnumerable<AnswerEvent> EventsAsync(EventStream? stream)
    {
        while (await MoreAsync(stream).ConfigureAwait(false))
            while (group.Events.TryRead(out AnswerEvent next))
            {
                Observe(next);
                yield return next;
            }
    }

    /// <summary>Results of all answers, after the last event.</summary>
    public IReadOnlyList<GenerationResult> Results => group.Results;

    public void Dispose()
    {
        group.Dispose();
        admission.Dispose();
        Telemetry.End(span, finished, problem ?? (finished.Count < group.Count ? new OperationCanceledException() : null));
    }

    private static string OperationOf(ApiRequest request) => request.Http.Request.Path == CompletionEndpoint.Path ? "text_completion" : "chat";

    private async Task<bool> MoreAsync(EventStream? stream)
    {
        try
        {
            return stream is null
                ? await group.Events.WaitToReadAsync(request.Ended).ConfigureAwait(false)
                : await stream.WaitAsync(group.Events, request.Ended).ConfigureAwait(false);
        }
        catch (OperationCanceledException failure)
        {
            throw request.Explain(failure);
        }
    }

    private void Observe(AnswerEvent next)
    {
        problem = next.Failure;
        if (next.Failure is OperationCanceledException cancelled)
            throw request.Explain(cancelled);
        if (next.Failure is { } failure)
            System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(failure);
        if (!hasBegun)
            request.Server.Metrics.Begin(request.Age);
        hasBegun = true;
        if (next.Result is not { } result)
            return;
        finished.Add(result);
        request.Server.Metrics.Finish(result, request.Age);
        request.Server.Telemetry.Finish(OperationOf(request), model, result, request.Age);
        if (request.Server.Options.LogsPrompts)
            LogAnswer(request.Server.Log, request.Http.TraceIdentifier, result.Text);
    }

    [LoggerMessage(EventId = 3, Level = LogLevel.Information, Message = "{Id} prompt: {Text}")]
    private static partial void LogPrompt(ILogger log, string id, string text);

    [LoggerMessage(EventId = 4, Level = LogLevel.Information, Message = "{Id} answer: {Text}")]
    private static partial void LogAnswer(ILogger log, string id, string text);
}
