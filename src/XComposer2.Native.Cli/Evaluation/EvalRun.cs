using XComposer2.Native.Evaluation.DataSets;
using XComposer2.Native.Evaluation.Judging;
using XComposer2.Native.Evaluation.Prompts;
using XComposer2.Native.Evaluation.Reports;
using XComposer2.Native.Evaluation.Running;

namespace XComposer2.Native.Cli;

/// <summary><c>xc2 eval</c>: reads the data sets, asks the model, asks the judge, scores and reports.</summary>
internal sealed class EvalRun
{
    private const int ShownProblems = 10;

    private readonly CliServices services;
    private readonly EvalRequest request;
    private readonly EvaluationFolder folder;
    private readonly List<DataSet> dataSets = [];

    private EvalRun(CliServices services, EvalRequest request)
    {
        this.services = services;
        this.request = request;
        folder = new EvaluationFolder(request.Output);
    }

    /// <returns>The exit code: <see cref="ExitCode.Failed"/> where a sample has no answer.</returns>
    public static async Task<int> RunAsync(CliServices services, EvalRequest request, CancellationToken cancellation)
    {
        EvalRun run = new(services, request);
        run.ReadDataSets();
        run.folder.Create();
        if (!request.ScoreOnly)
            await run.AskModelAsync(cancellation).ConfigureAwait(false);
        List<BenchmarkReport> reports = [];
        foreach (DataSet dataSet in run.dataSets)
            reports.Add(await run.ScoreAsync(dataSet, cancellation).ConfigureAwait(false));
        return run.Report(reports);
    }

    /// <summary>All of them, before anything that takes long.</summary>
    private void ReadDataSets()
    {
        foreach (string name in request.DataSets)
        {
            DataSet dataSet = DataSetReader.Read(BenchmarkCatalog.Find(name), request.Data);
            if (dataSets.Exists(each => each.Benchmark == dataSet.Benchmark))
                throw new UsageException($"{dataSet.Benchmark.Name} is named twice");
            if (!request.ScoreOnly && !request.Resume && File.Exists(folder.AnswersOf(dataSet.Benchmark)))
                throw new UsageException($"{folder.AnswersOf(dataSet.Benchmark)}: exists already; --resume continues it, --score-only scores it, --out names another folder");
            dataSets.Add(dataSet);
            RowProblem[] problems = [.. dataSet.Problems];
            foreach (RowProblem problem in problems.Take(ShownProblems))
                services.Console.Complain(problem.Describe(dataSet.Path));
            if (problems.Length > ShownProblems)
                services.Console.Complain($"{dataSet.Path}: {problems.Length - ShownProblems} more rows cannot be asked");
        }
    }

    private async Task AskModelAsync(CancellationToken cancellation)
    {
        ModelFolder model = ModelFolder.Choose(request.ModelPath, services.Variable, AppContext.BaseDirectory);
        XComposerEngine engine = await ModelLoading.LoadAsync(
            services.Console, model, request.Engine, request.Verbose, options => XComposerEngine.LoadAsync(options, cancellation), loaded => loaded.Info).ConfigureAwait(false);
        await using (engine.ConfigureAwait(false))
        {
            foreach (DataSet dataSet in dataSets)
            {
                EvaluationRun run = new(engine, dataSet, new EvaluationSettings(request.Protocol ?? Protocol.VlmEvalKit, request.Limit, request.Parallel, request.Beams));
                BatchWatch progress = new(services.Console, TimeProvider.System, dataSet.Benchmark.Name);
                await services.Console.WaitAsync(() => progress.Status, DoneAsync(run.AskAsync(folder.AnswersOf(dataSet.Benchmark), request.Resume, progress, cancellation))).ConfigureAwait(false);
            }
        }
    }

    private async Task<BenchmarkReport> ScoreAsync(DataSet dataSet, CancellationToken cancellation)
    {
        Benchmark benchmark = dataSet.Benchmark;
        List<AnswerLine> lines = AnswerLine.ReadAll(folder.AnswersOf(benchmark));
        if (request.Limit is { } limit && lines.Count > limit)
            lines.RemoveRange(limit, lines.Count - limit);
        folder.SaveTable(dataSet, lines);
        if (benchmark.IsJudged)
            await AskJudgeAsync(dataSet, lines, cancellation).ConfigureAwait(false);
        return BenchmarkScorer.Score(dataSet, lines, request.Protocol ?? folder.ProtocolOf(benchmark) ?? Protocol.VlmEvalKit, Verdicts(benchmark));
    }

    private async Task AskJudgeAsync(DataSet dataSet, IReadOnlyList<AnswerLine> lines, CancellationToken cancellation)
    {
        Benchmark benchmark = dataSet.Benchmark;
        List<JudgeRequest> requests = EvaluationFolder.Requests(dataSet, lines);
        folder.WriteRequests(benchmark, requests, request.JudgeModel);
        if (request.JudgeAddress is not { } address)
            return;
        Dictionary<string, string> known = Verdicts(benchmark);
        JudgeRequest[] left = [.. requests.Where(each => !known.ContainsKey(each.Index))];
        using HttpClient client = new();
        int done = 0;
        JudgeEndpoint judge = new(client, address, request.JudgeModel, services.Variable("OPENAI_API_KEY") is { Length: > 0 } key ? key : null);
        await services.Console.WaitAsync(
            () => $"{benchmark.Name}: judge, {done} of {left.Length}",
            DoneAsync(judge.AskAsync(benchmark, left, folder.VerdictsOf(benchmark), new Counter(count => done = count), cancellation))).ConfigureAwait(false);
    }

    private Dictionary<string, string> Verdicts(Benchmark benchmark) => folder.ReadVerdicts(benchmark, request.JudgeAddress is null ? request.Judge : null);

    private int Report(List<BenchmarkReport> reports)
    {
        string model = string.Join("; ", dataSets.Select(dataSet => folder.ModelOf(dataSet.Benchmark)).Distinct());
        folder.Save(reports, model);
        services.Console.Out.Write(ReportText.Summary(reports));
        services.Console.Out.Flush();
        foreach (BenchmarkReport report in reports.Where(report => report.Note is not null))
            services.Console.Hint($"{report.Benchmark.Name}: {report.Note}: {folder.TableOf(report.Benchmark)} has the answers");
        foreach (BenchmarkReport report in reports.Where(report => report.Counts.Unjudged > 0))
            services.Console.Hint($"{report.Benchmark.Name}: {report.Counts.Unjudged} answers wait for a judge: {folder.RequestsOf(report.Benchmark)} has the requests, --judge takes the verdicts");
        int failed = reports.Sum(report => report.Counts.Failed);
        if (failed > 0)
            services.Console.Complain($"{failed} samples have no answer: {folder.Report(".md")} names them");
        return failed > 0 ? ExitCode.Failed : ExitCode.Done;
    }

    private static async Task<bool> DoneAsync(Task work)
    {
        await work.ConfigureAwait(false);
        return true;
    }

    private sealed class Counter(Action<int> count) : IProgress<int>
    {
        public void Report(int value) => count(value);
    }
}
