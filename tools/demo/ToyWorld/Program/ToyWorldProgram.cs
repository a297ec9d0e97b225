using System.Diagnostics;
using System.Globalization;
using XComposer2.Demo.Checking;
using XComposer2.Demo.Conversations;
using XComposer2.Demo.Mixtures;
using XComposer2.Demo.World;
using XComposer2.Native;
using XComposer2.Native.Model;

namespace XComposer2.Demo.Program;

/// <summary>The toy world as a program.</summary>
internal static class ToyWorldProgram
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
        """;

    private const string WithoutPlora = "--without-plora";

    public static async Task<int> Main(string[] arguments)
    {
        try
        {
            if (arguments is [] or ["--help"] or ["-h"])
            {
                Console.WriteLine(Help);
                return 0;
            }

            ProgramArguments options = new(arguments[1..], WithoutPlora);
            return arguments[0] switch
            {
                "kinds" => Kinds(options),
                "show" => Show(options),
                "samples" => Samples(options),
                "sheet" => Sheet(options),
                "evaluate" => await EvaluateAsync(options).ConfigureAwait(false),
                _ => throw new ArgumentsException($"expected a verb, found '{arguments[0]}'; --help lists them"),
            };
        }
        catch (Exception error) when (error is ArgumentsException or ArgumentException or XComposerException or IOException or UnauthorizedAccessException)
        {
            await Console.Error.WriteLineAsync(error.Message).ConfigureAwait(false);
            return 1;
        }
    }

    private static int Kinds(ProgramArguments options)
    {
        options.RequireAllRead();
        foreach (string name in ToySamples.Names)
            Console.WriteLine(ToySamples.GroupNames.Contains(name) ? $"{name} (group)" : name);
        return 0;
    }

    private static int Show(ProgramArguments options)
    {
        foreach (ToySample sample in Draw(options, missing: 4))
        {
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"== {sample.Kind}: {sample.Pictures.Length} pictures{(sample.ArePicturesFirst ? " before the prompt" : "")}"));
            if (sample.System.Length > 0)
                Console.WriteLine($"[system] {sample.System}");
            foreach (ToyTurn turn in sample.Turns)
                Console.WriteLine($"{turn.Question}\n--> {turn.AnswerPrefix}|{turn.Answer[turn.AnswerPrefix.Length..]}");
        }

        return 0;
    }

    private static int Samples(ProgramArguments options)
    {
        string folder = options.Required("--out");
        ToySample[] drawn = Draw(options, missing: 100), written = [.. drawn.Where(SampleFiles.CanExpress)];
        string path = SampleFiles.Write(written, folder);
        Console.WriteLine($"{path}: {written.Length} samples{(written.Length < drawn.Length ? $"; {drawn.Length - written.Length} with a system turn are left out: the layout has none" : "")}");
        return 0;
    }

    private static int Sheet(ProgramArguments options)
    {
        string path = options.Required("--out");
        ToyPicture[] pictures = [.. Draw(options, missing: 40).SelectMany(sample => sample.Pictures)];
        File.WriteAllBytes(path, PngEncoder.Encode(ContactSheet.Of(pictures)));
        return 0;
    }

    private static ToySample[] Draw(ProgramArguments options, int missing)
    {
        string kind = options.Required("--kind");
        int count = options.Number("--count", missing), seed = options.Number("--seed", 1);
        options.RequireAllRead();
        return [.. Enumerable.Range(0, count).Select(number => ToySamples.Draw(kind, (ulong)seed, number))];
    }

    private static async Task<int> EvaluateAsync(ProgramArguments options)
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
        Console.WriteLine(AccuracyReport.Heading);
        foreach (string kind in kinds)
        {
            IReadOnlyList<CheckpointAnswer> answers = await checkpoint.AskAsync(AccuracyReport.Samples(kind, count, (ulong)seed), CancellationToken.None).ConfigureAwait(false);
            foreach (KindAccuracy accuracy in AccuracyReport.Of(kind, answers))
                Console.WriteLine(accuracy);
            foreach (CheckpointAnswer miss in answers.Where(answer => !answer.IsExact).Take(misses))
                Console.WriteLine($"    {miss.Sample.Kind}: {miss.Sample.Turns[0].Question.ReplaceLineEndings("\\n")}\n      expected {miss.Expected.ReplaceLineEndings("\\n")}\n      found    {miss.Result.Text.ReplaceLineEndings("\\n")}");
        }

        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"\n{kinds.Count * count} questions{(withoutPlora ? ", without Partial LoRA" : "")}, {Stopwatch.GetElapsedTime(started).TotalSeconds:0.0} s"));
        return 0;
    }
}
