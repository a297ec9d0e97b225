using System.Globalization;
using XComposer2.Native.Batch;

namespace XComposer2.Native.Cli;

/// <summary>One run of <c>xc2 batch</c>.</summary>
internal sealed class BatchRun(CliServices services, BatchRequest request)
{
    private const string ParquetExtension = ".parquet", LinesExtension = ".jsonl";

    private readonly CliConsole console = services.Console;

    private bool IsParquet => request.Output.EndsWith(ParquetExtension, StringComparison.OrdinalIgnoreCase);

    /// <summary>Results as lines; a Parquet file is made of it at the end.</summary>
    private string LogPath => IsParquet ? request.Output + LinesExtension : request.Output;

    public async Task<int> RunAsync(CancellationToken cancellationToken)
    {
        // All checks that need no model come before loading it.
        InputKind[] kinds = [.. request.Inputs.Select(BatchInputs.KindOf)];
        bool isOpenAi = kinds.Contains(InputKind.OpenAi);
        Require(kinds, isOpenAi);
        IBatchInput?[] rows = [.. request.Inputs.Zip(kinds, (path, kind) => kind == InputKind.OpenAi ? null : BatchInputs.Open(path, kind, request.Columns))];
        foreach (FolderInput folder in rows.OfType<FolderInput>())
            folder.Count(cancellationToken);
        ModelFolder model = ModelFolder.Choose(request.ModelPath, services.Variable, AppContext.BaseDirectory);
        XComposerEngine engine = await ModelLoading.LoadAsync(
            console, model, request.Engine, request.Verbose, asked => XComposerEngine.LoadAsync(asked, cancellationToken), loaded => loaded.Info).ConfigureAwait(false);
        await using (engine.ConfigureAwait(false))
        {
            ResultFormat format = isOpenAi ? new OpenAiFormat(engine, NameOf(engine.Info)) : new RowFormat();
            var earlier = new EarlierResults(LogPath, format) { WriteCaption = ResultWriter.WriteCaption };
            RunSettings settings = SettingsOf(engine);
            using ResultLog log = request.Resume ? ResultLog.Resume(LogPath, settings, earlier.Add) : ResultLog.Create(LogPath, settings);
            using ErrorFile errors = new(request.Errors ?? Path.ChangeExtension(request.Output, ".errors.jsonl"));
            errors.Begin(earlier.Errors);
            var writer = new ResultWriter(log, format, request.Job.Filters, errors);
            IBatchInput[] inputs = [.. request.Inputs.Zip(rows, (path, input) => input ?? new OpenAiInput(path, engine))];
            await AnswerAsync(engine, inputs, earlier, writer, log, cancellationToken).ConfigureAwait(false);
            if (IsParquet)
                ParquetResults.Write(request.Output, LogPath, cancellationToken);
            Summarise(earlier, writer, errors.Path);
        }

        return ExitCode.Done;
    }

    private async Task AnswerAsync(XComposerEngine engine, IReadOnlyList<IBatchInput> inputs, EarlierResults earlier, ResultWriter writer, ResultLog log, CancellationToken cancellation)
    {
        var answers = new EngineAnswers(engine);
        var job = new BatchJob(inputs, answers.Template(request.PromptStyle), request.Job);
        var watch = new BatchWatch(console, TimeProvider.System);
        var meter = new BatchMeter(log.Count, null, watch, TimeProvider.System);
        using CancellationTokenSource ended = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        // Counting reads large tables once more: answers do not wait for it.
        Task counting = Task.Run(() => meter.Total = job.Count(ended.Token), CancellationToken.None);
        using CancellationTokenRegistration stopping = cancellation.Register(() => console.Hint($"xc2: stopping; --resume continues with {LogPath}"));
        try
        {
            var runner = new BatchRunner(answers, BatchLimits.For(request.Together));
            Task run = runner.RunAsync(job.SamplesAsync(earlier, cancellation), writer, meter, cancellation);
            await console.WaitAsync(() => watch.Status, CompletedAsync(run)).ConfigureAwait(false);
        }
        finally
        {
            await ended.CancelAsync().ConfigureAwait(false);
            await counting.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        if (meter.Now() is { SamplesPerSecond: > 0 } last)
            console.Hint($"{BatchWatch.Speed(last)} in {BatchWatch.Duration(last.Elapsed)}");

        static async Task<bool> CompletedAsync(Task task)
        {
            await task.ConfigureAwait(false);
            return true;
        }
    }

    private void Summarise(EarlierResults earlier, ResultWriter writer, string errors)
    {
        long[] counts = [.. earlier.ByStatus.Zip(writer.ByStatus, static (before, now) => before + now)];
        string failed = counts[(int)ResultStatus.Error] is > 0 and var some ? $", {BatchWatch.Count(some)} failed ({errors})" : "";
        console.Hint(TerminalText.OneLine($"{request.Output}: {Counted(counts.Sum(), "result")}: {Counted(counts[0], "answer")}, {BatchWatch.Count(counts[1])} left out by filters{failed}"));
    }

    private static string Counted(long number, string what) => $"{BatchWatch.Count(number)} {what}{(number == 1 ? "" : "s")}";

    private void Require(InputKind[] kinds, bool isOpenAi)
    {
        GenerationChecks.Require(request.Job.Generation);
        if (isOpenAi && kinds.Any(static kind => kind != InputKind.OpenAi))
            throw new UsageException("batch files of OpenAI's API cannot be mixed with other inputs");
        if (isOpenAi && (request.HasQuestion || IsParquet))
            throw new UsageException("requests of a batch file have prompts and sampling of their own: options of the question, the answer, filters and captions, and Parquet, are for other inputs");
        if (!IsParquet && !request.Output.EndsWith(LinesExtension, StringComparison.OrdinalIgnoreCase))
            throw new UsageException($"--out must end with {LinesExtension} or {ParquetExtension}, not '{request.Output}'");
        if (!request.Resume && (Path.Exists(LogPath) || Path.Exists(request.Output)))
            throw new BatchException($"{request.Output}: exists already; --resume continues it");
        if (Path.GetDirectoryName(Path.GetFullPath(request.Output)) is { } folder && !Directory.Exists(folder))
            throw new BatchException($"{request.Output}: its folder does not exist");
    }

    private static string NameOf(EngineInfo info) => info.Model.Split(',')[0];

    private RunSettings SettingsOf(XComposerEngine engine)
    {
        GenerationOptions answer = request.Job.Generation;
        AnswerFilters filters = request.Job.Filters;
        return new RunSettings()
            .Add("inputs", string.Join(" | ", request.Inputs))
            .Add("columns", $"{request.Columns.Image}, {request.Columns.Id}, {request.Columns.Prompt}")
            .Add("shard", Invariant($"{request.Job.Shard.Index + 1}/{request.Job.Shard.Count}"))
            .Add("model", $"{engine.Info.Model} {engine.Fingerprint()}")
            .Add("device", Invariant($"{engine.Info.Device.Split(',')[0]}, cache {request.Engine.Device.Cache?.ToString() ?? "default"}, activations {request.Engine.Device.Activations}, half sums {request.Engine.Device.HalfSums}"))
            .Add("quantization", request.Engine.Quantization.ToString() is { Length: > 0 } formats ? formats : "as stored")
            .Add("context", Invariant($"{engine.Info.ContextLength}"))
            .Add("prompt", request.Prompt ?? "the row's own")
            .Add("start-caption-with", request.Prefix ?? "")
            .Add("system", request.Job.System ?? "the style's own")
            .Add("prompt-style", request.PromptStyle ?? "the model's own")
            .Add("exif", request.Job.Orientation.ToString())
            .Add("beams", Invariant($"{answer.Beams}, length penalty {answer.LengthPenalty}, early stopping {answer.EarlyStopping}"))
            .Add("sampling", answer.Greedy ? Invariant($"greedy, repetition penalty {answer.RepetitionPenalty}") : Invariant($"temperature {answer.Temperature}, top-p {answer.TopP}, top-k {answer.TopK}, repetition penalty {answer.RepetitionPenalty}"))
            .Add("seed", Invariant($"{answer.Seed}"))
            .Add("max-tokens", Invariant($"{answer.MaxTokens}"))
            .Add("stop", string.Join(" | ", answer.Stop))
            .Add("filters", Invariant($"min-side {filters.MinSide}, max-aspect {filters.MaxAspect}, min-length {filters.MinLength}, max-length {filters.MaxLength}, complete {filters.RejectsTruncated}, match {string.Join(" | ", filters.Required)}, reject {string.Join(" | ", filters.Rejected)}"))
            .Add("captions", request.Job.CaptionExtension is { } extension ? $"{extension}{(request.Job.ReplacesCaptions ? ", replaced" : "")}" : "none");
    }

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}

/// <summary>What <c>xc2 batch</c> was asked for.</summary>
internal sealed record BatchRequest
{
    /// <summary>A checkpoint folder; null where the command line names none.</summary>
    public string? ModelPath { get; init; }

    /// <summary>Without the path of the model.</summary>
    public required EngineOptions Engine { get; init; }

    public required IReadOnlyList<string> Inputs { get; init; }

    public TableColumns Columns { get; init; } = new();

    public required BatchJobOptions Job { get; init; }

    /// <summary>Answers that are generated together.</summary>
    public int Together { get; init; } = 1;

    /// <summary>As typed; null for none.</summary>
    public string? Prompt { get; init; }

    /// <summary>As typed; null for none.</summary>
    public string? Prefix { get; init; }

    public string? PromptStyle { get; init; }

    /// <summary>The command line says what to ask, how to answer, or what to leave out.</summary>
    public bool HasQuestion { get; init; }

    /// <summary>File of results.</summary>
    public required string Output { get; init; }

    /// <summary>File of errors; null for one beside the results.</summary>
    public string? Errors { get; init; }

    public bool Resume { get; init; }

    public bool Verbose { get; init; }
}
