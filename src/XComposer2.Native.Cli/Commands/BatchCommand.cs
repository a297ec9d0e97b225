using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using XComposer2.Native.Batch;
using XComposer2.Native.Graph;
using XComposer2.Native.Model;

namespace XComposer2.Native.Cli;

/// <summary><c>xc2 batch</c>.</summary>
internal static class BatchCommand
{
    public const string HelpPage = $$"""
        Usage: xc2 batch INPUT... [options]

        Asks about many pictures, several at once, and writes exactly one result for
        each: an answer, the reason why it was left out, or an error. A run that was
        stopped or killed is continued with --resume; its files are then the same as
        those of an unbroken run.

        INPUT is a folder of pictures with those below it, a list of files (.txt), a
        table (.jsonl, .parquet), a tar shard as WebDataset has them (.tar, .tar.gz),
        or a batch file of OpenAI's API (.jsonl). Several are read in this order.

        Input
          --image-column NAME      pictures of a table: paths, data URLs, base64, bytes;
                                   rows without one are questions of text (image)
          --id-column NAME         names of rows (id)
          --prompt-column NAME     prompts of rows (prompt)
          --exif apply|ignore      whether pictures are turned upright as the camera
                                   noted (apply; the original ignores it)
          --shard K/N              the K-th of N parts, for job arrays: every N-th row

        Question
          -p, --prompt TEXT        asked about every row; {name} is a field of the row
                                   (the row's own, else "Describe this image.")
          --start-caption-with TEXT
                                   what every answer begins with; may have fields
          -s, --system TEXT        what the model is told beforehand
          --prompt-style NAME      how it is written: chat (as the published chat()),
                                   train, eval or gradio (the checkpoint's own)

        Answer
          --greedy                 the most likely token, every time
          -t, --temperature T      0 for greedy (1)
          --top-p P                over 0, at most 1 (0.8)
          --top-k K                the K most likely tokens; 0 for all (50)
          --repetition-penalty R   over 0; 1 is none (1.005)
          --seed N                 of the run; each row has its own, made of it (0)
          -n, --max-tokens N       longest answer (256)
        {{BeamOptions.HelpLines}}
          --stop TEXT              the answer ends before TEXT; repeat for more

        Filters: what they leave out is written with its reason
          --min-side N             shorter side of pictures in pixels
          --max-aspect R           longer side of pictures by the shorter one
          --min-length N           characters of an answer
          --max-length N           characters of an answer
          --match REGEX            what an answer must contain; repeat for more
          --reject REGEX           what no answer may contain; repeat for more
          --complete               no answers that the token limit has cut off

        Output
          -o, --out FILE           .jsonl or .parquet (batch.jsonl)
          --captions               write answers beside their pictures, too: cat.txt
                                   for cat.png; existing files are kept
          --caption-extension EXT  the same with another ending than .txt
          --replace-captions       existing files are replaced
          --errors FILE            rows without an answer, and why
                                   (FILE.errors.jsonl, beside --out)
          --resume                 continue a run, or begin it

        Model
        {{ModelOptions.HelpLines}}
        {{ModelOptions.FitHelpLines}}
          --parallel N             answers generated together, 1 to 64 (8)
          --cache-memory MB        memory for keys and values (one longest sequence)
          -v, --verbose            the device, and stack traces of errors

        Examples
          xc2 batch photos --captions --prompt "Describe this photo in one sentence."
          xc2 batch rows.parquet --prompt "Is this a {class}?" --out answers.parquet
          xc2 batch shard-*.tar --shard 3/16 --out part-3.jsonl --resume

        Formats: src/XComposer2.Native.Batch/README.md. Exit status 0 where every row
        has a result, also where some are errors.
        """;

    private const int MaximumMegabytes = 1 << 20, DefaultMaxTokens = 256, MaximumSequences = 64;
    private const string DefaultOutput = "batch.jsonl", DefaultExtension = ".txt";

    private static readonly CheckedValue<RowShard?> shards = new("K/N, for example 3/16", static text =>
    {
        int slash = text.IndexOf('/', StringComparison.Ordinal);
        return slash > 0 && int.TryParse(text.AsSpan(0, slash), NumberStyles.None, CultureInfo.InvariantCulture, out int part) && int.TryParse(text.AsSpan(slash + 1), NumberStyles.None, CultureInfo.InvariantCulture, out int count)
            && part >= 1 && part <= count ? new RowShard(part - 1, count) : null;
    });

    private static readonly CheckedValue<string?> endings = new("an ending such as .txt", static text =>
        text.Length > 1 && text[0] == '.' && text.IndexOfAny(['/', '\\', '\0']) < 0 && !PictureNames.IsPicture(text[1..]) ? text : null);

    public static Command Create(CliServices services, Option<bool> verbose)
    {
        Argument<string[]> inputs = new("INPUT") { Arity = ArgumentArity.OneOrMore };
        Option<string?> imageColumn = new("--image-column"), idColumn = new("--id-column"), promptColumn = new("--prompt-column");
        Option<ExifOrientation?> exif = ModelOptions.Exif();
        Option<RowShard?> shard = CheckedOption.Of("--shard", shards);
        Option<string?> prompt = new("--prompt", "-p"), prefix = new("--start-caption-with"), system = new("--system", "-s"), style = new("--prompt-style");
        style.CompletionSources.Add([.. PromptStyle.All.Select(known => known.Name)]);
        SamplingOptions sampling = new();
        Option<int?> maxTokens = CheckedOption.Of("--max-tokens", SamplingValues.MaxTokens, "-n");
        Option<string[]> stop = new("--stop") { Arity = ArgumentArity.OneOrMore };
        BeamOptions beams = new();
        BatchFilterOptions filters = new();
        Option<string?> output = new("--out", "-o"), errors = new("--errors");
        Option<bool> captions = CheckedOption.Flag("--captions"), replace = CheckedOption.Flag("--replace-captions"), resume = CheckedOption.Flag("--resume");
        Option<string?> extension = CheckedOption.Of("--caption-extension", endings);
        Option<string?> model = ModelOptions.Model();
        Option<string[]> adapters = ModelOptions.Adapters();
        Option<DeviceKind?> device = ModelOptions.Device();
        Option<DType?> storage = ModelOptions.Storage();
        Option<EmbeddingPlace?> embeddings = ModelOptions.Embeddings();
        WeightOptions weights = new();
        (Option<bool> Fit, Option<bool> NoFit) fit = ModelOptions.Fit();
        Option<ActivationPrecision?> activations = ModelOptions.Activations();
        Option<CacheFormat?> cache = ModelOptions.Cache();
        Option<SumPrecision?> sums = ModelOptions.Sums();
        Option<WeightLoading?> loading = ModelOptions.Loading();
        Option<int?> threads = ModelOptions.Threads(), context = ModelOptions.Context();
        Option<int?> parallel = CheckedOption.Integer("--parallel", 1, MaximumSequences), cacheMemory = CheckedOption.Integer("--cache-memory", 1, MaximumMegabytes);
        DocumentedCommand command = new("batch", HelpPage)
        {
            inputs, imageColumn, idColumn, promptColumn, exif, shard, prompt, prefix, system, style, maxTokens, stop, output, errors, captions, extension, replace, resume,
            model, adapters, device, storage, embeddings, fit.Fit, fit.NoFit, activations, cache, sums, loading, threads, context, parallel, cacheMemory,
        };
        sampling.AddTo(command);
        beams.AddTo(command);
        filters.AddTo(command);
        weights.AddTo(command);
        command.SetAction((result, cancellationToken) =>
        {
            GenerationOptions defaults = new() { MaxTokens = DefaultMaxTokens };
            GenerationOptions asked = beams.Read(result, sampling.Read(result, defaults));
            int together = result.GetValue(parallel) ?? new EngineLimits().Sequences;
            if (together * asked.Beams > MaximumSequences)
                throw new UsageException($"--parallel times --beams must be at most {MaximumSequences}, not {together * asked.Beams}");
            AnswerFilters chosen = filters.Read(result);
            string? ending = result.GetValue(extension) ?? (result.GetValue(captions) ? DefaultExtension : null);
            if (ending is null && result.GetValue(replace))
                throw new UsageException("--replace-captions needs --captions");
            TableColumns columns = new();
            return new BatchRun(services, new BatchRequest
            {
                ModelPath = result.GetValue(model),
                Engine = new EngineOptions
                {
                    ModelPath = "",
                    Adapters = result.GetValue(adapters) is { Length: > 0 } folders ? folders : [],
                    Loading = result.GetValue(loading) ?? WeightLoading.Mapped,
                    Device = ModelOptions.DeviceOf(result, device, threads, storage, embeddings, activations, cache, sums),
                    Quantization = weights.Read(result).Quantization,
                    Fit = ModelOptions.FitOf(result, fit, weights.IsChosen(result)),
                    Limits = new EngineLimits { Sequences = together * asked.Beams, Beams = asked.Beams, Context = result.GetValue(context), CacheBytes = (long?)result.GetValue(cacheMemory) << 20 },
                },
                Inputs = result.GetValue(inputs)!,
                Columns = new TableColumns(result.GetValue(imageColumn) ?? columns.Image, result.GetValue(idColumn) ?? columns.Id, result.GetValue(promptColumn) ?? columns.Prompt),
                Job = new BatchJobOptions
                {
                    Prompt = Template(result.GetValue(prompt), "--prompt"),
                    Prefix = Template(result.GetValue(prefix), "--start-caption-with"),
                    System = result.GetValue(system),
                    Generation = asked with { Seed = asked.Seed ?? 0, MaxTokens = result.GetValue(maxTokens) ?? defaults.MaxTokens, Stop = result.GetValue(stop) ?? [] },
                    Shard = result.GetValue(shard) ?? RowShard.All,
                    Filters = chosen,
                    Orientation = result.GetValue(exif) ?? ExifOrientation.Apply,
                    CaptionExtension = ending,
                    ReplacesCaptions = result.GetValue(replace),
                },
                Together = together,
                Prompt = result.GetValue(prompt),
                Prefix = result.GetValue(prefix),
                PromptStyle = RequireStyle(result.GetValue(style)),
                HasQuestion = asked with { Seed = null } != defaults || filters.AreChosen(result) || ending is not null
                    || new Option[] { prompt, prefix, system, style, maxTokens, stop }.Any(option => result.GetResult(option) is { Implicit: false }),
                Output = result.GetValue(output) ?? DefaultOutput,
                Errors = result.GetValue(errors),
                Resume = result.GetValue(resume),
                Verbose = result.GetValue(verbose),
            }).RunAsync(cancellationToken);
        });
        return command;
    }

    private static PromptTemplate? Template(string? text, string option)
    {
        try
        {
            return text is null ? null : PromptTemplate.Parse(text, option);
        }
        catch (BatchException error)
        {
            throw new UsageException(error.Message);
        }
    }

    private static string? RequireStyle(string? name)
    {
        try
        {
            if (name is not null)
                _ = PromptStyle.Find(name);
            return name;
        }
        catch (PromptException error)
        {
            throw new UsageException(error.Message);
        }
    }
}

/// <summary>Options that say what a batch leaves out.</summary>
internal sealed class BatchFilterOptions
{
    private readonly Option<int?> minSide = CheckedOption.Integer("--min-side", 1), minLength = CheckedOption.Integer("--min-length", 1), maxLength = CheckedOption.Integer("--max-length", 1);
    private readonly Option<float?> maxAspect = CheckedOption.Of("--max-aspect", new CheckedValue<float?>("a number, at least 1", static text =>
        float.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out float value) && float.IsFinite(value) && value >= 1 ? value : null));
    private readonly Option<string[]> match = new("--match") { Arity = ArgumentArity.OneOrMore }, reject = new("--reject") { Arity = ArgumentArity.OneOrMore };
    private readonly Option<bool> complete = CheckedOption.Flag("--complete");

    private Option[] All => [minSide, maxAspect, minLength, maxLength, match, reject, complete];

    public void AddTo(Command command)
    {
        foreach (Option option in All)
            command.Add(option);
    }

    public bool AreChosen(ParseResult result) => All.Any(option => result.GetResult(option) is { Implicit: false });

    /// <exception cref="UsageException">A pattern is malformed.</exception>
    public AnswerFilters Read(ParseResult result)
    {
        try
        {
            return new AnswerFilters
            {
                MinSide = result.GetValue(minSide) ?? 0,
                MaxAspect = result.GetValue(maxAspect) ?? 0,
                MinLength = result.GetValue(minLength) ?? 0,
                MaxLength = result.GetValue(maxLength) ?? 0,
                Required = [.. (result.GetValue(match) ?? []).Select(static text => AnswerFilters.Pattern(text, "--match"))],
                Rejected = [.. (result.GetValue(reject) ?? []).Select(static text => AnswerFilters.Pattern(text, "--reject"))],
                RejectsTruncated = result.GetValue(complete),
            };
        }
        catch (BatchException error)
        {
            throw new UsageException(error.Message);
        }
    }
}
