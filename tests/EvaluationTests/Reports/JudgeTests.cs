using System.Net;
using System.Text;
using System.Text.Json;
using XComposer2.Native.Evaluation;
using XComposer2.Native.Evaluation.DataSets;
using XComposer2.Native.Evaluation.Judging;
using XComposer2.Native.Evaluation.Prompts;
using XComposer2.Native.Evaluation.Reports;
using XComposer2.Native.Evaluation.Running;
using Xunit;

namespace XComposer2.Native.EvaluationTests;

/// <summary>What a judge is asked, and what is made of its verdicts.</summary>
public sealed class JudgeTests
{
    [Theory]
    [InlineData("MMVet", "0.8", 0.8, 0)]
    [InlineData("MMVet", " 1.0\nbecause", 1.0, 0)]
    [InlineData("MMVet", "8", null, 0)]
    [InlineData("MMVet", "good", null, 0)]
    [InlineData("LLaVABench", "8 9\nreason", 9.0, 8)]
    [InlineData("LLaVABench", "8, 7.5", 7.5, 8)]
    [InlineData("LLaVABench", "8", null, 0)]
    [InlineData("LLaVABench", "0 5", null, 0)]
    [InlineData("CreationBench", "7\n", 7.0, 0)]
    [InlineData("CreationBench", "11", null, 0)]
    public void Verdict_begins_with_its_scores(string name, string verdict, double? ours, double reference)
    {
        (double Ours, double Reference)? found = JudgedScoring.Parse(BenchmarkCatalog.Find(name).Kind, verdict);
        Assert.Equal(ours, found?.Ours);
        if (ours is not null)
            Assert.Equal(reference, found!.Value.Reference);
    }

    [Fact]
    public void Verdicts_are_read_in_our_layout_and_in_that_of_a_batch_service()
    {
        using DataFolder folder = new();
        string path = folder.Write("v.jsonl", """
            {"index": 0, "verdict": "0.5"}
            {"dataset": "LLaVABench", "index": "1", "verdict": "1 1"}
            {"custom_id": "MMVet/2", "response": {"body": {"choices": [{"message": {"content": "1.0"}}]}}}
            {"custom_id": "MMVet/3", "response": null, "error": {"message": "x"}}
            {"custom_id": "LLaVABench/4", "response": {"body": {"choices": [{"message": {"content": "1 1"}}]}}}
            """);
        Assert.Equal(new Dictionary<string, string> { ["0"] = "0.5", ["2"] = "1.0" }, VerdictFile.Read(path, BenchmarkCatalog.Find("MMVet")));
        folder.Write("v.jsonl", "{\"index\": 0}\n");
        Assert.Contains("line 1: expected the field verdict or response", Assert.Throws<EvaluationException>(() => VerdictFile.Read(path, BenchmarkCatalog.Find("MMVet"))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Judged_scores_are_means_of_what_was_judged()
    {
        DataSet vet = Toy("MMVet"), wild = Toy("LLaVABench"), creation = Toy("CreationBench");
        BenchmarkReport report = BenchmarkScorer.Score(vet, Answers(vet), Protocol.VlmEvalKit, new Dictionary<string, string> { ["0"] = "1.0", ["1"] = "0.5", ["2"] = "no idea" });
        Assert.Equal((75.0, 6), (report.Headlines[0].Value, report.Counts.Unjudged));
        Assert.Equal((75.0, 100.0), (report.Table["rec"]["score"], report.Table["spat"]["score"]));
        report = BenchmarkScorer.Score(wild, Answers(wild), Protocol.VlmEvalKit, new Dictionary<string, string> { ["0"] = "8 6", ["1"] = "10 9" });
        Assert.Equal(7.5 / 9 * 100, report.Headlines[0].Value, 1e-9);
        report = BenchmarkScorer.Score(creation, Answers(creation), Protocol.VlmEvalKit, new Dictionary<string, string> { ["0"] = "8", ["1"] = "5" });
        Assert.Equal(6.5, report.Headlines[0].Value);
    }

    [Fact]
    public void MathVista_asks_only_where_the_rules_find_nothing()
    {
        DataSet math = Toy("MathVista_MINI");
        List<AnswerLine> answers = [new("0", math.Table[0, "answer"], null, null), new("1", "(B)", null, null), new("2", "I see many shapes.", null, null)];
        Assert.Equal(["2"], EvaluationFolder.Requests(math, answers).Select(request => request.Index));
        BenchmarkReport report = BenchmarkScorer.Score(math, answers, Protocol.VlmEvalKit, new Dictionary<string, string> { ["2"] = math.Table[2, "answer"] });
        Assert.Equal(0, report.Counts.Unjudged);
        Assert.Equal(1, report.Answers.Single(answer => answer.Index == "2").Score);
    }

    [Fact]
    public async Task Endpoint_is_asked_again_after_a_failure_and_verdicts_are_kept()
    {
        using DataFolder folder = new();
        DataSet vet = Toy("MMVet");
        StubHandler stub = new();
        using HttpClient client = new(stub);
        JudgeRequest[] requests = [.. EvaluationFolder.Requests(vet, Answers(vet)).Take(3)];
        List<int> progress = [];
        await new JudgeEndpoint(client, new Uri("http://judge.test/v1/"), "judge-1", "secret").AskAsync(
            vet.Benchmark, requests, folder.File("v.jsonl"), new Recorder(progress), TestContext.Current.CancellationToken);
        Assert.Equal(new Dictionary<string, string> { ["0"] = "0.7", ["1"] = "0.7", ["2"] = "0.7" }, VerdictFile.Read(folder.File("v.jsonl"), vet.Benchmark));
        Assert.Equal(4, stub.Requests.Count);
        Assert.All(stub.Requests, request => Assert.Equal(("http://judge.test/v1/chat/completions", "Bearer secret"), (request.Address, request.Authorization)));
        using JsonDocument body = JsonDocument.Parse(stub.Requests[0].Body);
        Assert.Equal("judge-1", body.RootElement.GetProperty("model").GetString());
        Assert.Contains("What do you see?", body.RootElement.GetProperty("messages")[0].GetProperty("content").GetString(), StringComparison.Ordinal);
        Assert.Equal([3], progress);
    }

    [Fact]
    public async Task Refusal_of_the_endpoint_is_an_error_that_names_the_sample()
    {
        using DataFolder folder = new();
        DataSet vet = Toy("MMVet");
        using HttpClient client = new(new StubHandler { Status = HttpStatusCode.Unauthorized });
        EvaluationException failure = await Assert.ThrowsAsync<EvaluationException>(() => new JudgeEndpoint(client, new Uri("http://judge.test/v1"), "m", null).AskAsync(
            vet.Benchmark, [.. EvaluationFolder.Requests(vet, Answers(vet)).Take(1)], folder.File("v.jsonl"), null, TestContext.Current.CancellationToken));
        Assert.Contains("index 0: status 401", failure.Message, StringComparison.Ordinal);
    }

    private static DataSet Toy(string name) => DataSetReader.Read(BenchmarkCatalog.Find(name), UnitTests.TestPaths.Shared("golden/eval-toy"));

    private static List<AnswerLine> Answers(DataSet dataSet) => [.. dataSet.Samples.Select(sample => new AnswerLine(sample.Index, "An answer.", null, null))];

    private sealed class Recorder(List<int> seen) : IProgress<int>
    {
        public void Report(int value) => seen.Add(value);
    }

    /// <summary>Fails the first request, and answers all others.</summary>
    private sealed class StubHandler : HttpMessageHandler
    {
        private readonly Lock gate = new();

        public List<(string Address, string Authorization, string Body)> Requests { get; } = [];

        public HttpStatusCode Status { get; init; } = HttpStatusCode.OK;

        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            string body = await request.Content!.ReadAsStringAsync(cancellationToken);
            lock (gate)
            {
                Requests.Add((request.RequestUri!.AbsoluteUri, request.Headers.Authorization?.ToString() ?? "", body));
                if (Requests.Count == 1 && Status == HttpStatusCode.OK)
                    return new HttpResponseMessage(HttpStatusCode.ServiceUnavailable);
            }

            return new HttpResponseMessage(Status) { Content = new StringContent("""{"choices": [{"message": {"role": "assistant", "content": "0.7"}}]}""", Encoding.UTF8, "application/json") };
        }
    }
}
