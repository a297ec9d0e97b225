using System.Runtime.CompilerServices;
using XComposer2.Native.Model;

namespace XComposer2.Native.Batch;

/// <summary>What is asked about each row of the inputs.</summary>
internal sealed record BatchJobOptions
{
    /// <summary>For all rows; null where each row has its own, or <see cref="DefaultPrompt"/>.</summary>
    public PromptTemplate? Prompt { get; init; }

    /// <summary>For pictures without any prompt.</summary>
    public string DefaultPrompt { get; init; } = "Describe this image.";

    /// <summary>Text of the system turn; null for the prompt style's own.</summary>
    public string? System { get; init; }

    /// <summary>What answers begin with; null for nothing.</summary>
    public PromptTemplate? Prefix { get; init; }

    /// <summary>Sampling and limits. The seed is that of the run; each row has one of its own, made of it and its number.</summary>
    public GenerationOptions Generation { get; init; } = new();

    public RowShard Shard { get; init; } = RowShard.All;

    public AnswerFilters Filters { get; init; } = new();

    public ExifOrientation Orientation { get; init; } = ExifOrientation.Apply;

    /// <summary>Ending of the file that an answer is written to, beside its picture; null for none.</summary>
    public string? CaptionExtension { get; init; }

    /// <summary>Files with captions are replaced; else their pictures are left out.</summary>
    public bool ReplacesCaptions { get; init; }
}

/// <summary>One part of a job array: every N-th row.</summary>
/// <param name="Index">From 0.</param>
/// <param name="Count">Parts.</param>
internal readonly record struct RowShard(int Index, int Count)
{
    public static RowShard All => new(0, 1);

    public bool Has(long number) => number % Count == Index;

    /// <summary>Rows of this part among so many.</summary>
    public long CountOf(long rows) => (rows - Index + Count - 1) / Count;
}

/// <summary>What a result is written by.</summary>
/// <param name="Image">The picture, or the first one; null for text alone.</param>
/// <param name="Prompt">As asked.</param>
/// <param name="Prefix">Beginning of the answer.</param>
/// <param name="CaptionPath">File of the caption; null for none.</param>
internal sealed record RowSource(string? Image, string Prompt, string Prefix, string? CaptionPath);

/// <summary>Makes samples of the rows of inputs.</summary>
/// <param name="inputs">In this order.</param>
/// <param name="template">Of the model.</param>
/// <param name="options">What is asked.</param>
internal sealed class BatchJob(IReadOnlyList<IBatchInput> inputs, ChatTemplate template, BatchJobOptions options)
{
    private readonly HashSet<string> captions = new(StringComparer.Ordinal);

    /// <summary>Samples of this shard; null where an input has to be read to the end to know.</summary>
    /// <exception cref="BatchException">An input cannot be read.</exception>
    public long? Count(CancellationToken cancellation)
    {
        long total = 0;
        foreach (IBatchInput input in inputs)
        {
            if (input.Count(cancellation) is not { } count)
                return null;
            total += count;
        }

        return options.Shard.CountOf(total);
    }

    /// <param name="earlier">Results that exist: their rows are passed over, and compared.</param>
    /// <param name="cancellation">Stops reading.</param>
    /// <exception cref="BatchException">An input cannot be read, or its rows are not those of the earlier results.</exception>
    public async IAsyncEnumerable<BatchSample<RowSource>> SamplesAsync(EarlierResults earlier, [EnumeratorCancellation] CancellationToken cancellation = default)
    {
        long number = -1, index = 0;
        foreach (IBatchInput input in inputs)
        {
            await foreach (InputRow row in input.ReadAsync(cancellation).WithCancellation(cancellation).ConfigureAwait(false))
            {
                number++;
                if (!options.Shard.Has(number))
                    continue;
                BatchSample<RowSource> sample = Sample(row, number);
                if (index < earlier.Count)
                    earlier.Check(index, sample);
                else
                    yield return sample;
                index++;
            }
        }

        earlier.RequireCount(index);
    }

    /// <summary>The seed of a row: neighbouring numbers have unlike ones.</summary>
    public static ulong SeedOf(ulong runSeed, long number)
    {
        ulong mixed = unchecked((runSeed * 0x9E3779B97F4A7C15UL) + ((ulong)number + 1) * 0xD1B54A32D192ED03UL);
        mixed = unchecked((mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9UL);
        mixed = unchecked((mixed ^ (mixed >> 27)) * 0x94D049BB133111EBUL);
        return (mixed ^ (mixed >> 31)) % (ulong)GenerationOptions.MaximumDrawnSeed;
    }

    private BatchSample<RowSource> Sample(InputRow row, long number)
    {
        string? image = row.Pictures.Count > 0 ? row.Pictures[0].Name : null;
        ulong seed = SeedOf(options.Generation.Seed ?? 0, number);
        var sample = new BatchSample<RowSource>
        {
            Number = number,
            Id = row.Id,
            Source = new RowSource(image, row.Prompt ?? "", "", null),
            Options = options.Generation with { Seed = seed },
            StopIds = template.StopIds,
            Failure = row.Failure,
            HeldBytes = row.Pictures.Sum(static picture => (long)(picture.Bytes?.Length ?? 0)),
        };
        if (row.Failure is not null)
            return sample;
        if (row.Request is { } request)
            return sample with { Options = request.Options with { Seed = request.Options.Seed ?? seed }, StopIds = request.StopIds, HeldBytes = request.HeldBytes, Open = request.Open };
        try
        {
            RowSource source = new(image, PromptOf(row), options.Prefix?.Fill(row.Fields, row.Place) ?? "", options.CaptionExtension is null ? null : CaptionPath(row));
            return sample with { Source = source, Open = cancellation => Open(row, source, cancellation) };
        }
        catch (BatchException error)
        {
            return sample with { Failure = new SampleFailure(FailureKind.Prompt, error.Message) };
        }
    }

    // A picture's question must not be asked without the picture: the answer would be invented.
    private string PromptOf(InputRow row)
    {
        if (row.LacksPicture && row.Prompt is null)
            throw new BatchException($"{row.Place}: no picture, and no prompt of its own");
        return options.Prompt?.Fill(row.Fields, row.Place) ?? row.Prompt
            ?? (row.Pictures.Count > 0 ? options.DefaultPrompt : throw new BatchException($"{row.Place}: neither a prompt nor a picture"));
    }

    private string CaptionPath(InputRow row)
    {
        if (row.Pictures is not [{ IsFile: true } picture])
            throw new BatchException($"{row.Place}: a caption beside its picture needs one picture that is a file, found {row.Pictures.Count} {(row.Pictures.Count == 1 ? "in memory" : "pictures")}");
        string path = Path.ChangeExtension(picture.Name, options.CaptionExtension);
        return captions.Add(path) ? path : throw new BatchException($"{row.Place}: its caption would be {path}, which is that of an earlier picture");
    }

    private BatchPrompt Open(InputRow row, RowSource source, CancellationToken cancellation)
    {
        if (source.CaptionPath is { } caption && !options.ReplacesCaptions && Path.Exists(caption))
            return BatchPrompt.LeftOut($"{caption} exists already");
        List<ImageInput> pictures = [];
        foreach (RowPicture picture in row.Pictures)
        {
            cancellation.ThrowIfCancellationRequested();
            if (!options.Filters.LooksAtPictures)
            {
                pictures.Add(picture.Open(options.Orientation));
                continue;
            }

            ReadOnlyMemory<byte> bytes = picture.Bytes ?? ImageFile.Read(picture.Name, ImageLimits.Default);
            if (options.Filters.Refuse(ImageHeader.Read(bytes, picture.Name)) is { } why)
                return BatchPrompt.LeftOut(why);
            pictures.Add(ImageInput.FromBytes(bytes, picture.Name, options.Orientation));
        }

        return new BatchPrompt(template.Render(options.System, [new ChatTurn(source.Prompt, pictures.Count, null)], source.Prefix), pictures);
    }
}
