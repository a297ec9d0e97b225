using XComposer2.Native.Graph;
using XComposer2.Native.Model;
using XComposer2.Native.Runtime;

namespace XComposer2.Native;

/// <summary>Limits of an engine: simultaneous answers, context length and memory.</summary>
public sealed record EngineLimits
{
    /// <summary>Answers that are generated together, 1 to 64; further ones are queued.</summary>
    public int Sequences { get; init; } = 8;

    /// <summary>Maximum length of a sequence in tokens, prompt and answer together. Null: prompts up to the checkpoint's max_length (4096), answers on top.</summary>
    public int? Context { get; init; }

    /// <summary>Maximum memory of the key/value cache, shared by all answers and the cached prefixes of earlier ones; it grows with use. Null for one sequence of
    /// full length, and one for each of <see cref="Beams"/>.</summary>
    public long? CacheBytes { get; init; }

    /// <summary>Beams of an answer (<see cref="GenerationOptions.Beams"/>) that the cache has room for by default; at most <see cref="Sequences"/>.</summary>
    public int Beams { get; init; } = 1;

    /// <summary>Prompt tokens processed between two tokens of other answers; null for 256 on the CPU and 512 on a GPU.</summary>
    public int? PromptPiece { get; init; }

    /// <summary>Number of encoded pictures kept for reuse (20 MB each for a 7B model); null for 12 on the CPU and 6 on a GPU. The pictures of a
    /// full context always fit.</summary>
    public int? Pictures { get; init; }
}

/// <summary>An engine's limits, resolved for a model on a device.</summary>
/// <param name="Sequences">Answers at once.</param>
/// <param name="PromptLength">Longest prompt of a conversation in tokens.</param>
/// <param name="ContextLength">Longest sequence in tokens.</param>
/// <param name="CachePages">Pages that the cache may grow to: a sequence of full length, and one page more to copy a shared one, at least.</param>
/// <param name="Pictures">Places for rows of pictures: all that a sequence can hold.</param>
/// <param name="KeptPictures">Places that are kept taken; further ones are taken while a prompt needs them.</param>
/// <param name="PieceTokens">Positions of a prompt between two steps of others.</param>
/// <param name="StepTokens">Positions of any step.</param>
internal readonly record struct EngineSizes(int Sequences, int PromptLength, int ContextLength, int CachePages, int Pictures, int KeptPictures, int PieceTokens, int StepTokens)
{
    /// <summary>Positions of one step at most: enough for a picture and its question in one piece, little enough that intermediate results of a 7B
    /// stay below half a gigabyte.</summary>
    public const int MaximumStepTokens = 2048;

    /// <summary>Positions of a prompt between two steps of others, on the processor.</summary>
    public const int ProcessorPiece = 256;

    private const int GpuPiece = 512;

    private const int ProcessorPictures = 12, GpuPictures = 6, MaximumPictures = 4096;

    /// <summary>Pages required at load: one prompt of maximum length. Further pages are added on demand; without memory for them the request fails.</summary>
    public int FirstPages => Math.Min(CachePages, PagesOf(PromptLength));

    /// <summary>Maximum number of retained prefix pages: the whole cache if it is larger than one sequence, else two prompts of maximum length, so that memory
    /// of a single long sequence is reused.</summary>
    public int RetainedPages => CachePages > PagesOf(ContextLength) ? CachePages : Math.Min(CachePages, 2 * PagesOf(PromptLength));

    /// <summary>Entries of a sequence's page table.</summary>
    public int PagesPerSequence => (int)KeyValuePages.Count(ContextLength);

    /// <summary>What steps of bound graphs hold.</summary>
    public StepLimits Steps => StepLimits.For(Sequences, ContextLength);

    /// <summary>One answer at a time.</summary>
    public static EngineSizes ForOne(ModelConfig config, int contextLength) =>
        Of(config, 1, contextLength - 1, contextLength, PagesOf(contextLength), ProcessorPiece, pictures: 0);

    /// <param name="limits">As wanted.</param>
    /// <param name="config">The model.</param>
    /// <param name="cache">Format of the cache.</param>
    /// <param name="device">Where it runs.</param>
    /// <exception cref="EngineException">A limit is out of range.</exception>
    public static EngineSizes Resolve(EngineLimits limits, ModelConfig config, CacheFormat cache, DeviceKind device)
    {
        ArgumentNullException.ThrowIfNull(limits);
        EngineException.ThrowUnless(limits.Sequences is >= 1 and <= StepLimits.MaximumSequences, "sequences", $"1 to {StepLimits.MaximumSequences}", limits.Sequences);
        EngineException.ThrowUnless(limits.Beams >= 1 && limits.Beams <= limits.Sequences, "beams", $"1 to {limits.Sequences}, the answers generated together", limits.Beams);
        EngineException.ThrowUnless(limits.PromptPiece is null or (>= 16 and <= MaximumStepTokens), "prompt piece", $"16 to {MaximumStepTokens} tokens", limits.PromptPiece);
        EngineException.ThrowUnless(limits.Pictures is null or (>= 0 and <= MaximumPictures), "pictures", $"0 to {MaximumPictures}", limits.Pictures);
        int context = ContextLengths.Resolve(limits.Context, config);
        int pages = checked(limits.Beams * PagesOf(context));
        if (limits.CacheBytes is { } bytes)
        {
            long pageBytes = new KeyValueLayout(config.Decoder.LayerCount, config.Decoder.Attention, cache).PageBytes;
            EngineException.ThrowUnless(bytes >= 2 * pageBytes, "cache bytes", $"two pages of {pageBytes} bytes or more", bytes);
            pages = (int)Math.Min(bytes / pageBytes, int.MaxValue / KeyValuePages.TokensPerPage);
            context = Math.Min(context, (pages - 1) * KeyValuePages.TokensPerPage);
        }

        int prompt = Math.Min(limits.Context is null ? config.ContextLength : context - 1, context - 1);
        bool isGpu = device == DeviceKind.Cuda;
        return Of(config, limits.Sequences, prompt, context, pages, limits.PromptPiece ?? (isGpu ? GpuPiece : ProcessorPiece), limits.Pictures ?? (isGpu ? GpuPictures : ProcessorPictures));
    }

    /// <summary>The refusal of a prompt that leaves no room for an answer.</summary>
    public ContextFullException PromptTooLong(int tokens) => new(tokens, ContextLength, PromptLength + 1 < ContextLength ? PromptLength : null);

    /// <summary>The refusal of a request that is alone and has no room.</summary>
    public static EngineException CacheTooSmall(int promptTokens, int answerTokens, int beams, int pages)
    {
        string room = $"the key/value cache has room for {(long)pages * KeyValuePages.TokensPerPage} tokens";
        return new EngineException(beams == 1
            ? $"{room}, the device has no memory for more; the prompt has {promptTokens} tokens, its answer up to {answerTokens}: fewer answer tokens or a shorter prompt need less"
            : $"{room}; the prompt has {promptTokens} tokens, each of {beams} beams up to {answerTokens}: fewer answer tokens need less, EngineLimits.CacheBytes (xc2 serve --cache-memory) gives more");
    }

    private static int PagesOf(int contextLength) => checked((int)KeyValuePages.Count(contextLength) + 1);

    // Those that a context can hold, and one more that is only looked at.
    private static EngineSizes Of(ModelConfig config, int sequences, int prompt, int context, int pages, int piece, int pictures) => new(
        sequences,
        prompt,
        context,
        pages,
        Math.Max(pictures, (context / config.TokensPerImage) + 1),
        Math.Max(pictures, (prompt / config.TokensPerImage) + 1),
        Math.Min(piece, context),
        Math.Min(MaximumStepTokens, context));
}
