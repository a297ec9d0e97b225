using System.Diagnostics;
using System.Globalization;
using XComposer2.Demo.Checking;
using XComposer2.Demo.Conversations;
using XComposer2.Demo.Mixtures;
using XComposer2.Demo.Training;
using XComposer2.Demo.World;
using XComposer2.Native;
using XComposer2.Native.Model;

namespace XComposer2.Demo.Program;

/// <summary>The toy world as a program.</summary>
internal sealed class ToyWorldProgram
{
    private const string Help = """
        usage: ToyWorld VERB [options]
          kinds                             lists all kinds; groups are mixtures of kinds
          show     --kind K [--count N] [--seed S]
                                            prints samples
          samples  --kind K --out DIR [--count N] [--seed S]
                                            writes samples for xc2 train --data
          sheet    --kind K --out FILE.png [--count N] [--seed S]
                                            draws the pictures of samples side by side
          evaluate --model DIR [--kinds K,...] [--count N] [--seed S] [--threads N]
                   [--without-plora] [--misses N]
                                            exact answers on scenes that no training
                                            saw, by kind; misses: so many are printed
          train    --out DIR [--like DIR] [--layers N] [--threads N] [--seed S]
                   [--share PERCENT] [--until STAGE]
                                            trains the demo from nothing; a run that was
                                            stopped goes on. like: whose tokenizer and
                                            sizes; share: of all steps; stages: vision,
                                            copy, language, pretrain, sft
          stage    --from DIR --out DIR --stage NAME [--kinds K=W,...] [--steps N]
                   [--samples N] [--rate R] [--threads N] [--seed S]
                                            trains one stage alone from any checkpoint in
                                            F32, for trials; kinds and their weights,
                                            steps, samples of a step and rate stand in
                                            place of the stage's own
          answers  --model DIR [--cases DIR] [--pictures FILE.json] [--lead L]
                                            brings the tests' cases.json and the demo's
                                            samples.json up to date with a checkpoint;
                                            every token leads by 0.5 logits, or L
        """;

    private const string WithoutPlora = "--without-plora";

    private readonly TextWriter output;

    private ToyWorldProgram(TextWriter output) => this.output = output;

    public static Task<int> Main(string[] arguments) => RunAsync(arguments, Console.Out, Console.Error);

    /// <summary>Runs a verb.</summary>
    /// <returns>The exit status: 0, or 1 with a message.</returns>
    public static async Task<int> RunAsync(string[] arguments, TextWriter output, TextWriter error)
    {
        ToyWorldProgram program = new(output);
        try
        {
            if (arguments is [] or ["--help"] or ["-h"])
            {
                await output.WriteLineAsync(Help).ConfigureAwait(false);
                return 0;
            }

            ProgramArguments options = new(arguments[1..], WithoutPlora);
            return arguments[0] switch
            {
                "kinds" => program.Kinds(options),
                "show" => program.Show(options),
                "samples" => program.Samples(options),
                "sheet" => program.Sheet(options),
                "train" => program.Train(options),
                "stage" => program.Stage(options),
                "answers" => await program.AnswersAsync(options).ConfigureAwait(false),
                "evaluate" => await program.EvaluateAsync(options).ConfigureAwait(false),
                _ => throw new ArgumentsException($"expected a verb, found '{arguments[0]}'; --help lists them"),
            };
        }
        catch (Exception problem) when (problem is ArgumentsException or ArgumentException or XComposerException or IOException or UnauthorizedAccessException)
        {
            await error.WriteLineAsync(problem.Message).ConfigureAwait(false);
            return 1;
        }
    }

    private int Kinds(ProgramArguments options)
    {
        options.RequireAllRead();
        foreach (string name in ToySamples.Names)
            output.WriteLine(ToySamples.GroupNames.Contains(name) ? $"{name} (group)" : name);
        return 0;
    }

    private int Show(ProgramArguments options)
    {
        foreach (ToySample sample in Draw(options, missing: 4))
        {
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"== {sample.Kind}: {sample.Pictures.Length} pictures{(sample.ArePicturesFirst ? " before the prompt" : "")}"));
            if (sample.System.Length > 0)
                output.WriteLine($"[system] {sample.System}");
            foreach (ToyTurn turn in sample.Turns)
                output.WriteLine($"{turn.Question}\n--> {turn.AnswerPrefix}|{turn.Answer[turn.AnswerPrefix.Length..]}");
        }

        return 0;
    }

    private int Samples(ProgramArguments options)
    {
        string folder = options.Required("--out");
        ToySample[] drawn = Draw(options, missing: 100), written = [.. drawn.Where(SampleFiles.CanExpress)];
        string path = SampleFiles.Write(written, folder);
        output.WriteLine($"{path}: {written.Length} samples{(written.Length < drawn.Length ? $"; {drawn.Length - written.Length} with a system turn are left out: the layout has none" : "")}");
        return 0;
    }

    private int Sheet(ProgramArguments options)
    {
        string path = options.Required("--out");
        ToyPicture[] pictures = [.. Draw(options, missing: 40).SelectMany(sample => sample.Pictures)];
        if (pictures.Length == 0)
            throw new ArgumentsException("--kind: expected samples with pictures, found none");
        File.WriteAllBytes(path, PngEncoder.Encode(ContactSheet.Of(pictures)));
        output.WriteLine($"{path}: {pictures.Length} pictures");
        return 0;
    }

    private int Train(ProgramArguments options)
    {
        string folder = options.Required("--out"), like = options.Text("--like", Path.Combine("tools", "demo", "checkpoint")), until = options.Text("--until", "");
        int layers = options.Number("--layers", 4), threads = options.Number("--threads", Environment.ProcessorCount), seed = options.Number("--seed", 7), share = options.Number("--share", 100);
        options.RequireAllRead();
        new DemoTraining(folder, like, layers, threads, (ulong)seed, share / 100.0, output.WriteLine).Run(until.Length == 0 ? null : until, CancellationToken.None);
        return 0;
    }

    private int Stage(ProgramArguments options)
    {
        string from = options.Required("--from"), folder = options.Required("--out"), name = options.Required("--stage");
        DemoStage known = DemoStages.All.FirstOrDefault(stage => stage.Name == name)
            ?? throw new ArgumentsException($"--stage: '{name}' is not known; there are {string.Join(", ", DemoStages.All.Select(stage => stage.Name))}");
        IReadOnlyList<string> kinds = options.List("--kinds", []);
        DemoStage stage = known with
        {
            Mixture = kinds.Count == 0 ? known.Mixture : new Mixture(name, [.. kinds.Select(Weighted)]), Steps = options.Number("--steps", known.Steps),
            Samples = options.Number("--samples", known.Samples), Recipe = known.Recipe with { Rate = options.Decimal("--rate", known.Recipe.Rate) },
        };
        int threads = options.Number("--threads", Environment.ProcessorCount), seed = options.Number("--seed", 7);
        options.RequireAllRead();
        if (stage.Steps == 0 || stage.Samples == 0)
            throw new ArgumentsException("--steps, --samples: expected numbers above 0, found 0");
        new DemoTraining(folder, from, layers: 0, threads, (ulong)seed, share: 1, output.WriteLine).Run(stage, from, CancellationToken.None);
        return 0;
    }

    private static (string Kind, double Weight) Weighted(string text)
    {
        string[] parts = text.Split('=');
        if (parts.Length != 2 || !double.TryParse(parts[1], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double weight))
            throw new ArgumentsException($"--kinds: expected KIND=WEIGHT, found '{text}'");
        return ToySamples.Has(parts[0]) ? (parts[0], weight) : throw new ArgumentsException($"--kinds: '{parts[0]}' is not known; the verb kinds lists all");
    }

    private static ToySample[] Draw(ProgramArguments options, int missing)
    {
        string kind = options.Required("--kind");
        int count = options.Number("--count", missing), seed = options.Number("--seed", 1);
        options.RequireAllRead();
        return [.. Enumerable.Range(0, count).Select(number => ToySamples.Draw(kind, (ulong)seed, number))];
    }

    private async Task<int> AnswersAsync(ProgramArguments options)
    {
        string model = options.Required("--model"), cases = options.Text("--cases", ""), pictures = options.Text("--pictures", "");
        double lead = options.Decimal("--lead", 0.5);
        options.RequireAllRead();
        if (cases.Length + pictures.Length == 0)
            throw new ArgumentsException("expected --cases or --pictures, found neither");
        await using CheckpointAnswers checkpoint = await CheckpointAnswers.LoadAsync(model, null, CancellationToken.None).ConfigureAwait(false);
        PublishedCases published = new(checkpoint, lead);
        if (cases.Length > 0)
        {
            CaseChanges changes = await published.UpdateCasesAsync(cases, CancellationToken.None).ConfigureAwait(false);
            output.WriteLine($"{cases}: {changes.Kept} questions kept, {changes.Changed} of them with another answer; {changes.Replaced} replaced; {changes.Right} answers are right");
        }

        if (pictures.Length > 0)
        {
            CaseChanges changes = await published.UpdateSamplesAsync(pictures, CancellationToken.None).ConfigureAwait(false);
            output.WriteLine($"{pictures}: {changes.Kept} questions kept, {changes.Replaced} removed");
        }

        return 0;
    }

    private async Task<int> EvaluateAsync(ProgramArguments options)
    {
        string model = options.Required("--model");
        IReadOnlyList<string> kinds = options.List("--kinds", AccuracyReport.DefaultKinds);
        int count = options.Number("--count", 200), seed = options.Number("--seed", 1), threads = options.Number("--threads", 0), misses = options.Number("--misses", 0);
        bool withoutPlora = options.Has(WithoutPlora);
        options.RequireAllRead();
        if (kinds.FirstOrDefault(kind => !ToySamples.Has(kind)) is { } unknown)
            throw new ArgumentsException($"--kinds: '{unknown}' is not known; the verb kinds lists all");
        if (count == 0)
            throw new ArgumentsException("--count: expected a number above 0, found 0");
        using PartialLoraRemoval? removal = withoutPlora ? new PartialLoraRemoval(model) : null;
        await using CheckpointAnswers checkpoint = await CheckpointAnswers.LoadAsync(removal?.Folder ?? model, threads == 0 ? null : threads, CancellationToken.None).ConfigureAwait(false);
        long started = Stopwatch.GetTimestamp();
        output.WriteLine(AccuracyReport.Heading);
        foreach (string kind in kinds)
        {
            IReadOnlyList<CheckpointAnswer> answers = await checkpoint.AskAsync(AccuracyReport.Samples(kind, count, (ulong)seed), CancellationToken.None).ConfigureAwait(false);
            foreach (KindAccuracy accuracy in AccuracyReport.Of(kind, answers))
                output.WriteLine(accuracy);
            foreach (CheckpointAnswer miss in answers.Where(answer => !answer.IsExact).Take(misses))
                output.WriteLine($"    {miss.Sample.Kind}: {miss.Sample.Turns[0].Question.ReplaceLineEndings("\\n")}\n      expected {miss.Expected.ReplaceLineEndings("\\n")}\n      found    {miss.Result.Text.ReplaceLineEndings("\\n")}");
        }

        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"\n{kinds.Count * count} questions{(withoutPlora ? ", without Partial LoRA" : "")}, {Stopwatch.GetElapsedTime(started).TotalSeconds:0.0} s"));
        return 0;
    }
}
