using System.CommandLine;
using XComposer2.Native.Evaluation.Prompts;
using XComposer2.Native.Graph;
using XComposer2.Native.Model;

namespace XComposer2.Native.Cli;

/// <summary><c>xc2 eval</c>.</summary>
internal static class EvalCommand
{
    public const string HelpPage = $"""
        Usage: xc2 eval DATASET... [options]

        Asks the model the questions of benchmarks and scores its answers, as the
        paper did. DATASET is the name of a published file: MMBench_DEV_EN,
        MMBench_DEV_CN, MMBench_TEST_EN, MMBench_TEST_CN, SEEDBench_IMG, AI2D_TEST,
        MMMU_DEV_VAL, MME, POPE, HallusionBench, ChartQA_TEST, MathVista_MINI,
        Q-Bench1_VAL, Q-Bench1_TEST, MMVet, LLaVABench, CreationBench.

          --data DIR               the folder with the published files (.tsv, .json;
                                   else $LMUData)
          --out DIR                answers, tables and reports (eval)
          --limit N                the first N samples of each data set
          --resume                 continue the answers in --out; without it they must
                                   not exist
          --score-only             score the answers in --out again, without a model
          --protocol vlmevalkit|original
                                   whose prompts and scoring, where they differ
                                   (vlmevalkit)
          --judge FILE|URL         verdicts about MathVista, MMVet, LLaVABench and
                                   CreationBench: lines of JSON, or the base address
                                   of an OpenAI-compatible service, whose key is
                                   $OPENAI_API_KEY; what a judge has to be asked
                                   is in DATASET.judge.jsonl
          --judge-model NAME       the judge (gpt-4)
          --beams 1..8             beams of the search (as the protocol has it: 3 or 5);
                                   1 takes the most likely token, and much less time
          --parallel N             answers searched together, 1 to 8 (4)
          --cache-memory MB        memory for keys and values (a longest sequence for
                                   each answer or beam, whichever are more)
        {ModelOptions.HelpLines}
          -v, --verbose            stack traces of errors

        Files in --out: DATASET.answers.jsonl (written at once), xc2_DATASET.tsv (for
        VLMEvalKit), results.md, results.json. Exit status 1 when a sample has no
        answer.

        Examples
          xc2 eval MMBench_DEV_EN POPE --data ~/LMUData --model ./vl-7b
          xc2 eval MME --data ~/LMUData --limit 100 --out try
          xc2 eval MMVet --data ~/LMUData --score-only --judge verdicts.jsonl
        """;

    /// <summary>VLMEvalKit's variable for the same folder.</summary>
    private const string DataVariable = "LMUData";

    public static Command Create(CliServices services, Option<bool> verbose)
    {
        Argument<string[]> dataSets = new("DATASET") { Arity = ArgumentArity.OneOrMore };
        Option<string?> data = new("--data"), output = new("--out"), judge = new("--judge"), judgeModel = new("--judge-model"), model = ModelOptions.Model();
        Option<int?> limit = CheckedOption.Integer("--limit", 1), parallel = CheckedOption.Integer("--parallel", 1, 8), cacheMemory = CheckedOption.Integer("--cache-memory", 1, 1 << 20), beams = CheckedOption.Of("--beams", BeamOptions.Count);
        Option<bool> resume = CheckedOption.Flag("--resume"), scoreOnly = CheckedOption.Flag("--score-only");
        Option<Protocol?> protocol = CheckedOption.Choice("--protocol", ("vlmevalkit", Protocol.VlmEvalKit), ("original", Protocol.Original));
        Option<string[]> adapters = ModelOptions.Adapters();
        Option<DeviceKind?> device = ModelOptions.Device();
        Option<DType?> storage = ModelOptions.Storage();
        Option<EmbeddingPlace?> embeddings = ModelOptions.Embeddings();
        WeightOptions weights = new();
        Option<ActivationPrecision?> activations = ModelOptions.Activations();
        Option<CacheFormat?> cache = ModelOptions.Cache();
        Option<SumPrecision?> sums = ModelOptions.Sums();
        Option<WeightLoading?> loading = ModelOptions.Loading();
        Option<int?> threads = ModelOptions.Threads(), context = ModelOptions.Context();
        DocumentedCommand command = new("eval", HelpPage)
        {
            dataSets, data, output, limit, resume, scoreOnly, protocol, judge, judgeModel, beams, parallel, cacheMemory, model, adapters, device, storage, embeddings, activations, cache, sums, loading, threads, context,
        };
        weights.AddTo(command);
        command.SetAction((result, cancellationToken) => EvalRun.RunAsync(
            services,
            new EvalRequest
            {
                DataSets = result.GetValue(dataSets) ?? [],
                Data = result.GetValue(data) ?? (services.Variable(DataVariable) is { Length: > 0 } folder ? folder
                    : throw new UsageException($"--data is missing: the folder with the published files (or set {DataVariable})")),
                Output = result.GetValue(output) ?? "eval",
                Limit = result.GetValue(limit),
                Resume = result.GetValue(resume),
                ScoreOnly = result.GetValue(scoreOnly),
                Protocol = result.GetValue(protocol),
                Beams = result.GetValue(beams),
                Parallel = result.GetValue(parallel) ?? 4,
                Judge = result.GetValue(judge),
                JudgeModel = result.GetValue(judgeModel) ?? "gpt-4",
                ModelPath = result.GetValue(model),
                Engine = new EngineOptions
                {
                    ModelPath = "",
                    Adapters = result.GetValue(adapters) is { Length: > 0 } folders ? folders : [],
                    Loading = result.GetValue(loading) ?? WeightLoading.Mapped,
                    Device = ModelOptions.DeviceOf(result, device, threads, storage, embeddings, activations, cache, sums),
                    Quantization = weights.Read(result).Quantization,
                    Limits = new EngineLimits
                    {
                        // A search needs a place for each of its beams.
                        Sequences = (result.GetValue(parallel) ?? 4) * (result.GetValue(beams) ?? Decoding.MostBeams),
                        Context = result.GetValue(context),
                        CacheBytes = (long?)result.GetValue(cacheMemory) << 20,
                        Beams = Math.Max(result.GetValue(parallel) ?? 4, result.GetValue(beams) ?? Decoding.MostBeams),
                    },
                },
                Verbose = result.GetValue(verbose),
            },
            cancellationToken));
        return command;
    }
}

/// <summary>What <c>xc2 eval</c> was asked for; null where the command line says nothing.</summary>
internal sealed record EvalRequest
{
    public required IReadOnlyList<string> DataSets { get; init; }

    public required string Data { get; init; }

    public required string Output { get; init; }

    public int? Limit { get; init; }

    public bool Resume { get; init; }

    public bool ScoreOnly { get; init; }

    public Protocol? Protocol { get; init; }

    /// <summary>Null for those of the protocol.</summary>
    public int? Beams { get; init; }

    /// <summary>Answers at once.</summary>
    public int Parallel { get; init; }

    public string? Judge { get; init; }

    public required string JudgeModel { get; init; }

    public string? ModelPath { get; init; }

    /// <summary>Without the path of the model.</summary>
    public required EngineOptions Engine { get; init; }

    public bool Verbose { get; init; }

    /// <summary>The address of the judge; null where it is a file or there is none.</summary>
    public Uri? JudgeAddress => Judge is not null && Uri.TryCreate(Judge, UriKind.Absolute, out Uri? address) && address.Scheme is "http" or "https" ? address : null;
}
