namespace XComposer2.Native.Evaluation.DataSets;

/// <summary>What is asked and how it is scored.</summary>
internal enum BenchmarkKind
{
    /// <summary>One question with options a row.</summary>
    MultipleChoice,

    /// <summary>MMBench: each question several times with rotated options.</summary>
    Circular,

    /// <summary>MMMU: options, or an open answer.</summary>
    Mmmu,

    /// <summary>MME: yes or no, two questions a picture.</summary>
    Mme,

    /// <summary>POPE: yes or no about objects.</summary>
    Pope,

    /// <summary>HallusionBench: yes or no about figures.</summary>
    Hallusion,

    /// <summary>ChartQA: short answers, within five percent.</summary>
    Chart,

    /// <summary>MathVista: a judge extracts what the rules do not find.</summary>
    MathVista,

    /// <summary>MM-Vet: a judge gives 0 to 1.</summary>
    MmVet,

    /// <summary>LLaVA-Bench in the wild: a judge compares with a reference answer.</summary>
    LlavaBench,

    /// <summary>CreationBench: texts, a judge gives 1 to 10.</summary>
    Creation,
}

/// <summary>A figure of the paper, its repository or its notebooks, in percent where ours is one.</summary>
/// <param name="Metric">The name of the figure in our report.</param>
/// <param name="Value">As published, of the 7B model.</param>
/// <param name="Note">Where it is not quite the same: another split, for example.</param>
internal sealed record PublishedFigure(string Metric, double Value, string? Note = null);

/// <summary>A benchmark by the name of its published file.</summary>
/// <param name="Name">The file without its extension.</param>
/// <param name="Kind">What is asked.</param>
/// <param name="Title">For reports.</param>
/// <param name="Published">Figures to compare with.</param>
internal sealed record Benchmark(string Name, BenchmarkKind Kind, string Title, params PublishedFigure[] Published)
{
    /// <summary>Whether an external judge decides about answers.</summary>
    public bool IsJudged => Kind is BenchmarkKind.MathVista or BenchmarkKind.MmVet or BenchmarkKind.LlavaBench or BenchmarkKind.Creation;

    /// <summary>Whether samples have pictures.</summary>
    public bool HasPictures => Kind != BenchmarkKind.Creation;

    /// <summary>The published format.</summary>
    public string FileName => Name + (Kind == BenchmarkKind.Creation ? ".json" : ".tsv");

    /// <summary>Columns without which nothing can be asked or scored, the picture's aside.</summary>
    public IReadOnlyList<string> RequiredColumns => Kind switch
    {
        BenchmarkKind.MultipleChoice or BenchmarkKind.Circular => ["index", "question", "A", "B"],
        BenchmarkKind.Mmmu => ["index", "question", "A", "B", "answer", "split"],
        BenchmarkKind.Mme => ["index", "question", "answer", "category", "image_path"],
        BenchmarkKind.Pope => ["index", "question", "answer", "category"],
        BenchmarkKind.Hallusion => ["index", "question", "answer", "category", "l2-category"],
        BenchmarkKind.MathVista => ["index", "question", "question_type", "answer_type", "choices", "answer", "answer_option", "task", "skills"],
        BenchmarkKind.LlavaBench => ["index", "question", "gpt4_ans", "caption", "category"],
        BenchmarkKind.Creation => ["index", "question", "capability"],
        _ => ["index", "question", "answer"],
    };
}

/// <summary>The benchmarks that are known.</summary>
internal static class BenchmarkCatalog
{
    private const string OtherSplit = "test split";

    public static IReadOnlyList<Benchmark> All { get; } =
    [
        new("MMBench_DEV_EN", BenchmarkKind.Circular, "MMBench, English, dev", new PublishedFigure("accuracy", 79.64, OtherSplit)),
        new("MMBench_TEST_EN", BenchmarkKind.Circular, "MMBench, English, test", new PublishedFigure("accuracy", 79.64)),
        new("MMBench_DEV_CN", BenchmarkKind.Circular, "MMBench, Chinese, dev", new PublishedFigure("accuracy", 77.57, OtherSplit)),
        new("MMBench_TEST_CN", BenchmarkKind.Circular, "MMBench, Chinese, test", new PublishedFigure("accuracy", 77.57)),
        new("SEEDBench_IMG", BenchmarkKind.MultipleChoice, "SEED-Bench, pictures", new PublishedFigure("accuracy", 75.87)),
        new("AI2D_TEST", BenchmarkKind.MultipleChoice, "AI2D", new PublishedFigure("accuracy", 78.73)),
        new("MMMU_DEV_VAL", BenchmarkKind.Mmmu, "MMMU", new PublishedFigure("accuracy, validation", 42.0)),
        new("MME", BenchmarkKind.Mme, "MME", new PublishedFigure("perception", 1712.0), new PublishedFigure("reasoning", 530.7)),
        new("POPE", BenchmarkKind.Pope, "POPE", new PublishedFigure("F1, mean of the splits", 87.73), new PublishedFigure("F1, adversarial", 86.68),
            new PublishedFigure("F1, popular", 87.71), new PublishedFigure("F1, random", 88.80)),
        new("HallusionBench", BenchmarkKind.Hallusion, "HallusionBench", new PublishedFigure("aAcc", 60.3), new PublishedFigure("fAcc", 30.01), new PublishedFigure("qAcc", 32.97)),
        new("ChartQA_TEST", BenchmarkKind.Chart, "ChartQA", new PublishedFigure("relaxed accuracy, mean", 72.68), new PublishedFigure("human", 63.52), new PublishedFigure("augmented", 81.84)),
        new("MathVista_MINI", BenchmarkKind.MathVista, "MathVista, testmini", new PublishedFigure("accuracy", 57.6)),
        new("Q-Bench1_VAL", BenchmarkKind.MultipleChoice, "Q-Bench, dev", new PublishedFigure("accuracy", 70.70)),
        new("Q-Bench1_TEST", BenchmarkKind.MultipleChoice, "Q-Bench, test", new PublishedFigure("accuracy", 72.52)),
        new("MMVet", BenchmarkKind.MmVet, "MM-Vet", new PublishedFigure("score", 51.2)),
        new("LLaVABench", BenchmarkKind.LlavaBench, "LLaVA-Bench in the wild", new PublishedFigure("relative score", 81.8)),
        new("CreationBench", BenchmarkKind.Creation, "CreationBench"),
    ];

    /// <summary>The benchmark of a name, in any case.</summary>
    /// <exception cref="EvaluationException">No benchmark has this name; the message lists them.</exception>
    public static Benchmark Find(string name) => All.FirstOrDefault(each => string.Equals(each.Name, name, StringComparison.OrdinalIgnoreCase))
        ?? throw new EvaluationException($"data set '{name}' is not known; there are {string.Join(", ", All.Select(each => each.Name))}");
}
