using System.CommandLine;
using XComposer2.Native.Composition;
using XComposer2.Native.Graph;
using XComposer2.Native.Model;

namespace XComposer2.Native.Cli;

/// <summary>Options of the model and its sampling that compose and edit share, with the defaults of the composition demo.</summary>
internal sealed class WritingOptions
{
    private readonly Option<string?> model = ModelOptions.Model();
    private readonly Option<string[]> adapters = ModelOptions.Adapters();
    private readonly Option<DeviceKind?> device = ModelOptions.Device();
    private readonly Option<DType?> storage = ModelOptions.Storage();
    private readonly Option<EmbeddingPlace?> embeddings = ModelOptions.Embeddings();
    private readonly WeightOptions weights = new();
    private readonly Option<ActivationPrecision?> activations = ModelOptions.Activations();
    private readonly Option<CacheFormat?> cache = ModelOptions.Cache();
    private readonly Option<SumPrecision?> sums = ModelOptions.Sums();
    private readonly Option<WeightLoading?> loading = ModelOptions.Loading();
    private readonly Option<int?> threads = ModelOptions.Threads();
    private readonly Option<int?> context = ModelOptions.Context();
    private readonly SamplingOptions sampling = new();
    private readonly Option<string?> gallery = new("--gallery", "-g");
    private readonly Option<string?> service = new("--picture-service");
    private readonly Option<string[]> hosts = new("--allow-host") { Arity = ArgumentArity.OneOrMore };
    private readonly Option<int?> candidates = CheckedOption.Integer("--candidates", 1, ArticleRequest.MaximumOwnPictures);
    private readonly Option<ExifOrientation?> exif = ModelOptions.Exif();
    private readonly Option<bool> allowPrivate = CheckedOption.Flag("--allow-private");
    private readonly Option<bool> originals = CheckedOption.Flag("--originals");
    private readonly Option<int?> pictureSize = CheckedOption.Integer("--picture-size", PictureOptions.SmallestSide, PictureOptions.LargestSide);
    private readonly Option<bool> meta = CheckedOption.Flag("--meta");
    private readonly Option<bool> json = CheckedOption.Flag("--json");

    public void AddTo(Command command)
    {
        foreach (Option option in new Option[] { model, adapters, device, storage, activations, cache, sums, embeddings, loading, threads, context, gallery, service, hosts, candidates, exif, allowPrivate, originals, pictureSize, meta, json })
            command.Add(option);
        weights.AddTo(command);
        sampling.AddTo(command);
    }

    public string? ModelPath(ParseResult result) => result.GetValue(model);

    /// <summary>Its path is set when the model is chosen.</summary>
    public EngineOptions Engine(ParseResult result) => new()
    {
        ModelPath = "",
        Adapters = result.GetValue(adapters) is { Length: > 0 } folders ? folders : [],
        Loading = result.GetValue(loading) ?? WeightLoading.Mapped,
        Device = ModelOptions.DeviceOf(result, device, threads, storage, embeddings, activations, cache, sums),
        Quantization = weights.Read(result).Quantization,
        Limits = new EngineLimits { Context = result.GetValue(context) },
    };

    public ComposerOptions Composer(ParseResult result)
    {
        ComposerOptions defaults = new();
        return defaults with
        {
            Sampling = sampling.Read(result, defaults.Sampling) with { Seed = defaults.Sampling.Seed },
            Candidates = result.GetValue(candidates) ?? defaults.Candidates,
            Meta = result.GetValue(meta),
        };
    }

    public PictureSourceRequest Pictures(ParseResult result) => new(result.GetValue(gallery), result.GetValue(service), result.GetValue(hosts) ?? []);

    public ExifOrientation Orientation(ParseResult result) => result.GetValue(exif) ?? ExifOrientation.Apply;

    public PictureReader Reader(ParseResult result, CliConsole console) => new(console, result.GetValue(allowPrivate));

    /// <summary>How pictures are stored; null if no option says so.</summary>
    public PictureOptions? Storage(ParseResult result) => !result.GetValue(originals) && result.GetValue(pictureSize) is null
        ? null
        : new PictureOptions { KeepOriginals = result.GetValue(originals), MaximumSide = result.GetValue(pictureSize) ?? PictureOptions.DefaultSide };

    public ulong? Seed(ParseResult result) => sampling.Seed(result);

    public bool Json(ParseResult result) => result.GetValue(json);
}
