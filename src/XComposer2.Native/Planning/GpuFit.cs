using XComposer2.Native.Graph;
using XComposer2.Native.Model;

namespace XComposer2.Native.Planning;

/// <summary>Whether a model fits into the memory of a GPU, and the smallest change with which it would.</summary>
/// <param name="Plan">What was planned.</param>
/// <param name="AvailableBytes">The GPU's memory.</param>
/// <param name="Change">The options that make it fit, for example <c>--vision int8 --weights int4</c>; null where it fits, or where nothing does.</param>
/// <param name="ChangedBytes">What is needed then.</param>
public sealed record GpuFit(ModelMemoryPlan Plan, long AvailableBytes, string? Change, long ChangedBytes)
{
    /// <summary>What a CUDA context takes of a GPU beside its allocations.</summary>
    public const long ContextBytes = 450L << 20;

    // The smaller the sum, the less a change costs: places of weights first, then rounding of what tolerates it, then a shorter context, 4 bits last.
    private const int Places = 1, Head = 2, Vision = 3, Lora = 4, Cache = 5, EightBits = 8, ShorterContext = 12, FourBits = 16;

    private const int LeastContext = 1024;

    /// <summary>What the plan needs, a CUDA context included.</summary>
    public long NeededBytes => checked(Plan.TotalBytes + ContextBytes);

    /// <summary>It fits.</summary>
    public bool Fits => NeededBytes <= AvailableBytes;

    /// <param name="request">What is to be planned.</param>
    /// <param name="availableBytes">The GPU's memory.</param>
    /// <exception cref="CheckpointException">The checkpoint is missing something or damaged.</exception>
    /// <exception cref="EngineException">The request is out of range.</exception>
    public static GpuFit Find(GpuPlanRequest request, long availableBytes)
    {
        ArgumentNullException.ThrowIfNull(request);
        ModelMemoryPlan plan = request.Plan();
        var fit = new GpuFit(plan, availableBytes, null, 0);
        if (fit.Fits)
            return fit;
        foreach ((GpuPlanRequest changed, string words, _) in Changes(request, plan.ContextLength).OrderBy(change => change.Cost))
            if (TryPlan(changed) is { } smaller && smaller.TotalBytes + ContextBytes <= availableBytes)
                return fit with { Change = words, ChangedBytes = smaller.TotalBytes + ContextBytes };
        return fit;
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

    private static IEnumerable<(GpuPlanRequest Request, string Words, int Cost)> Changes(GpuPlanRequest request, int context)
    {
        WeightQuantization now = request.Quantization;
        (string, int, Func<GpuPlanRequest, GpuPlanRequest>)[] single =
        [
            .. Option(request.Device.Embeddings == EmbeddingPlace.Device, "--embeddings host", Places, static r => r with { Device = r.Device with { Embeddings = EmbeddingPlace.Host } }),
            .. Option(now.Head is null, "--head int8", Head, static r => r with { Quantization = r.Quantization with { Head = WeightFormat.Int8 } }),
            .. Option(now.Vision is null, "--vision int8", Vision, static r => r with { Quantization = r.Quantization with { Vision = WeightFormat.Int8 } }),
            .. Option(now.PartialLora is null, "--plora int8", Lora, static r => r with { Quantization = r.Quantization with { PartialLora = WeightFormat.Int8 } }),
            .. Option(request.Device.Cache != CacheFormat.Int8, "--cache int8", Cache, static r => r with { Device = r.Device with { Cache = CacheFormat.Int8 } }),
            .. Option(context / 2 >= LeastContext, $"--context {context / 2}", ShorterContext, r => r with { Context = context / 2 }),
        ];
        (string, int, Func<GpuPlanRequest, GpuPlanRequest>)[] linears =
        [
            ("", 0, static r => r),
            .. Option(now.Linears is null, "--weights int8", EightBits, static r => r with { Quantization = r.Quantization with { Linears = WeightFormat.Int8 } }),
            .. Option(now.Linears is null or { Elements: DType.I8 }, "--weights int4", FourBits, static r => r with { Quantization = WeightQuantization.Int4 with { PartialLora = r.Quantization.PartialLora } }),
        ];
        foreach ((string Words, int Cost, Func<GpuPlanRequest, GpuPlanRequest> Apply) kind in linears)
            for (int set = 0; set < 1 << single.Length; set++)
            {
                (string words, int cost, GpuPlanRequest changed) = (kind.Words, kind.Cost, kind.Apply(request));
                for (int i = 0; i < single.Length; i++)
                {
                    if ((set & (1 << i)) == 0)
                        continue;
                    (string option, int price, Func<GpuPlanRequest, GpuPlanRequest> apply) = single[i];
                    GpuPlanRequest next = apply(changed);
                    if (next == changed)
                        continue;
                    (words, cost, changed) = (words.Length == 0 ? option : $"{words} {option}", cost + price, next);
                }

                if (cost > 0)
                    yield return (changed, words, cost);
            }
    }

    private static (string, int, Func<GpuPlanRequest, GpuPlanRequest>)[] Option(bool isOpen, string words, int cost, Func<GpuPlanRequest, GpuPlanRequest> apply) =>
        isOpen ? [(words, cost, apply)] : [];
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
    /// <summary>The plan; no GPU is required.</summary>
    /// <exception cref="CheckpointException">The checkpoint is missing something or damaged.</exception>
    /// <exception cref="EngineException">The request is out of range.</exception>
    public ModelMemoryPlan Plan() => Path is { } folder
        ? ModelMemoryPlan.ForCheckpointOnCuda(folder, Context, Device, Quantization, Options)
        : ModelMemoryPlan.ForPresetOnCuda(Preset ?? "", Context, Device, Quantization);
}
