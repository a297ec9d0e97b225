using XComposer2.Native.Graph;
using XComposer2.Native.Model;

namespace XComposer2.Native.Planning;

/// <summary>Whether a model fits into the memory of a GPU, and the smallest change with which it would.</summary>
/// <param name="Plan">What was planned.</param>
/// <param name="AvailableBytes">The GPU's memory.</param>
/// <param name="OverheadBytes">What is needed beside the plan: a CUDA context where there is none yet, a reserve where there is one.</param>
/// <param name="Change">The options that make it fit, for example <c>--vision int8 --weights int4</c>; null where it fits, or where nothing does.</param>
/// <param name="ChangedBytes">What is needed then.</param>
public sealed record GpuFit(ModelMemoryPlan Plan, long AvailableBytes, long OverheadBytes, string? Change, long ChangedBytes)
{
    /// <summary>What a CUDA context takes of a GPU beside its allocations.</summary>
    public const long ContextBytes = 450L << 20;

    // The smaller the sum, the less a change costs: places of weights first, then rounding of what tolerates it, then a shorter context, 4 bits last.
    private const int Places = 1, Head = 2, Table = 2, Vision = 3, Lora = 4, Cache = 5, EightBits = 8, ShorterContext = 12, FourBits = 16;

    private const int LeastContext = 1024;

    // Savings of several changes add up but for this part of the plan: the arena shrinks with none or with all.
    private const int EstimatePart = 10;

    /// <summary>What the plan needs, the overhead included.</summary>
    public long NeededBytes => checked(Plan.TotalBytes + OverheadBytes);

    /// <summary>It fits.</summary>
    public bool Fits => NeededBytes <= AvailableBytes;

    /// <summary>The request that fits; null where the first does, or none.</summary>
    internal GpuPlanRequest? Changed { get; private init; }

    /// <summary>Of a GPU that need not be there.</summary>
    /// <param name="request">What is to be planned.</param>
    /// <param name="availableBytes">The GPU's memory.</param>
    /// <exception cref="CheckpointException">The checkpoint is missing something or damaged.</exception>
    /// <exception cref="EngineException">The request is out of range.</exception>
    public static GpuFit Find(GpuPlanRequest request, long availableBytes) => Find(request, availableBytes, ContextBytes);

    /// <param name="request">What is to be planned.</param>
    /// <param name="availableBytes">Free memory.</param>
    /// <param name="overheadBytes">What is needed beside the plan.</param>
    internal static GpuFit Find(GpuPlanRequest request, long availableBytes, long overheadBytes)
    {
        ArgumentNullException.ThrowIfNull(request);
        ModelMemoryPlan plan = request.Plan();
        var fit = new GpuFit(plan, availableBytes, overheadBytes, null, 0);
        if (fit.Fits)
            return fit;
        // A plan takes a tenth of a second: every single change is planned, sets of them are estimated, and planned where they may fit.
        var estimates = new Dictionary<GpuChange, long?>();
        foreach (GpuChange[] set in Sets(request, plan.ContextLength).OrderBy(set => set.Sum(change => change.Cost)))
        {
            long? estimate = Estimate(set);
            if (estimate is null || estimate - (estimate / EstimatePart) + overheadBytes > availableBytes)
                continue;
            GpuPlanRequest changed = set.Aggregate(request, (next, change) => change.Apply(next));
            if (TryPlan(changed) is { } smaller && smaller.TotalBytes + overheadBytes <= availableBytes)
                return fit with { Change = string.Join(' ', set.Select(change => change.Words)), ChangedBytes = smaller.TotalBytes + overheadBytes, Changed = changed };
        }

        return fit;

        long? Estimate(GpuChange[] set)
        {
            long sum = plan.TotalBytes;
            foreach (GpuChange change in set)
            {
                if (!estimates.TryGetValue(change, out long? saved))
                    estimates.Add(change, saved = TryPlan(change.Apply(request)) is { } alone ? plan.TotalBytes - alone.TotalBytes : null);
                if (saved is null)
                    return null;
                sum -= saved.Value;
            }

            return sum;
        }
    }

    // A checkpoint of integers cannot be quantised again, and a GPU lacks kernels of some formats.
    private static ModelMemoryPlan? TryPlan(GpuPlanRequest request)
    {
        try
        {
            return request.Plan();
        }
        catch (Exception error) when (error is EngineException or GraphException or NotSupportedException)
        {
            return null;
        }
    }

    private static IEnumerable<GpuChange[]> Sets(GpuPlanRequest request, int context)
    {
        WeightQuantization now = request.Quantization;
        bool isOnDevice = request.Device.Embeddings == EmbeddingPlace.Device;
        GpuChange[] parts =
        [
            .. Open(now.Head is null, "--head int8", Head, static r => r with { Quantization = r.Quantization with { Head = WeightFormat.Int8 } }),
            .. Open(now.Embeddings is null && isOnDevice, "--embedding-weights int8", Table, static r => r with { Quantization = r.Quantization with { Embeddings = WeightFormat.Int8 } }),
            .. Open(now.Vision is null, "--vision int8", Vision, static r => r with { Quantization = r.Quantization with { Vision = WeightFormat.Int8 } }),
            .. Open(now.PartialLora is null, "--plora int8", Lora, static r => r with { Quantization = r.Quantization with { PartialLora = WeightFormat.Int8 } }),
        ];
        GpuChange[] rest =
        [
            .. Open(isOnDevice, "--embeddings host", Places, static r => r with { Device = r.Device with { Embeddings = EmbeddingPlace.Host } }),
            .. Open(request.Device.Cache is null, "--cache int8", Cache, static r => r with { Device = r.Device with { Cache = CacheFormat.Int8 } }),
            .. Open(request.Context is null || !request.KeepsContext, $"--context {context / 2}", ShorterContext, r => r with { Context = context / 2 }, context / 2 >= LeastContext),
        ];
        GpuChange[] eight = Open(now.Linears is null, "--weights int8", EightBits, static r => r with { Quantization = r.Quantization with { Linears = WeightFormat.Int8 } });
        // 4 bits make every part int8.
        GpuChange[] four = Open(now.Linears is null || (now.Linears is { Elements: DType.I8 } && !request.KeepsLinears), "--weights int4", FourBits, static r => r with { Quantization = WeightQuantization.Int4 });
        foreach (GpuChange[] set in Subsets([.. parts, .. rest]))
        {
            if (set.Length > 0)
                yield return set;
            if (eight.Length > 0)
                yield return [.. eight, .. set];
        }

        foreach (GpuChange[] set in Subsets(rest))
            if (four.Length > 0)
                yield return [.. four, .. set];
    }

    private static IEnumerable<GpuChange[]> Subsets(GpuChange[] changes)
    {
        for (int set = 0; set < 1 << changes.Length; set++)
            yield return [.. changes.Where((_, index) => (set & (1 << index)) != 0)];
    }

    private static GpuChange[] Open(bool isOpen, string words, int cost, Func<GpuPlanRequest, GpuPlanRequest> apply, bool isPossible = true) => isOpen && isPossible ? [new GpuChange(words, cost, apply)] : [];

    /// <summary>A change of a request: the option, what it costs, and the change itself.</summary>
    private sealed record GpuChange(string Words, int Cost, Func<GpuPlanRequest, GpuPlanRequest> Apply);
}

/// <summary>What is to be planned on a GPU.</summary>
/// <param name="Preset">A published model's name; null where <paramref name="Path"/> is given.</param>
/// <param name="Path">A checkpoint folder; null where <paramref name="Preset"/> is given.</param>
/// <param name="Context">Longest sequence in tokens; null for the model's own.</param>
/// <param name="Device">Storage type and place of the embeddings.</param>
/// <param name="Quantization">What is quantised while loading.</param>
/// <param name="Options">Adapters, and how files are read; null for the defaults.</param>
public sealed record GpuPlanRequest(string? Preset, string? Path, int? Context, DeviceOptions Device, WeightQuantization Quantization, CheckpointOptions? Options = null)
{
    /// <summary>Limits of the engine; the context is <see cref="Context"/>.</summary>
    public EngineLimits Limits { get; init; } = new();

    /// <summary>A change leaves the context alone where it is named.</summary>
    internal bool KeepsContext { get; init; }

    /// <summary>A change leaves the linears alone where they are to be quantised.</summary>
    internal bool KeepsLinears { get; init; }

    /// <summary>The plan; no GPU is required.</summary>
    /// <exception cref="CheckpointException">The checkpoint is missing something or damaged.</exception>
    /// <exception cref="EngineException">The request is out of range.</exception>
    public ModelMemoryPlan Plan() => Path is { } folder
        ? ModelMemoryPlan.ForCheckpointOnCuda(folder, Limits with { Context = Context }, Device, Quantization, Options)
        : ModelMemoryPlan.ForPresetOnCuda(Preset ?? "", Limits with { Context = Context }, Device, Quantization);
}
