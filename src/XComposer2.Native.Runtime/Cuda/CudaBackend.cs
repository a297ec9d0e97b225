using System.Runtime.CompilerServices;
using XComposer2.Native.Cuda;
using XComposer2.Native.Graph;
using XComposer2.Native.Kernels;

namespace XComposer2.Native.Runtime;

/// <summary>Runs and trains graphs on an NVIDIA GPU. Weights are uploaded when a graph that uses them is bound, once for all graphs of a source.</summary>
public sealed class CudaBackend : IBackend, ITrainingBackend
{
    private readonly CudaDeviceState state;
    private readonly ConditionalWeakTable<IWeightSource, CudaWeights> weightsOfSource = [];
    private readonly List<CudaWeights> weights = [];

    /// <exception cref="CudaUnavailableException">No driver, no GPU, neither compiled kernels nor a compiler, or a storage type that the GPU does not
    /// have: the message says what is missing and what to do.</exception>
    /// <exception cref="NotSupportedException">There are no kernels for the cache, or 16-bit sums gain nothing on the GPU.</exception>
    public CudaBackend(CudaBackendOptions? options = null)
    {
        options ??= new CudaBackendOptions();
        CudaAvailability found = CudaAvailability.TryOpen(options.Device, out CudaContext? context);
        if (context is null)
            throw new CudaUnavailableException(found.Reason!.Value, found.Message);
        try
        {
            CudaContext opened = context;
            var cache = new CubinCache(KernelLoader.Source, () => Nvrtc.Load(options.Device.CompilerLibrary, opened.Driver.Version), options.Cache);
            cache.RequireCodeFor(context.Device.Capability);
            DType storage = ServedStorage(options, context.Device);
            CacheFormat = options.KeyValueCache ?? CacheFormat.Of(storage);
            if (!DeviceCaches.Has(CacheFormat, storage))
                throw new NotSupportedException(NoCache(CacheFormat, storage));
            HasHalfSums = options.HasHalfSums;
            if (HasHalfSums && !(storage == DType.F16 && HalfSums.Has(context.Device.Capability)))
                throw new NotSupportedException($"sums: f16 needs weights and activations of F16 on a consumer GPU of compute capability 8.6, 8.9 or 12.0; found {storage} on {context.Device}");
            state = new CudaDeviceState(context, storage, new KernelLoader(context, cache), options);
        }
        catch
        {
            context.Dispose();
            throw;
        }
    }

    public string Description => $"cuda, {state.Context.Device}, {state.Storage.ToString().ToLowerInvariant()}";

    /// <summary>Type of weights and of activations outside of the residual stream.</summary>
    public DType Storage => state.Storage;

    /// <summary>The storage type, or int8.</summary>
    public CacheFormat CacheFormat { get; }

    /// <summary>Linears of many rows add products as <see cref="HalfSums"/>.</summary>
    public bool HasHalfSums { get; }

    /// <summary>The GPU in words.</summary>
    public string DeviceName => state.Context.Device.ToString();

    /// <summary>Kernels that are loaded.</summary>
    public int LoadedKernels => state.Kernels.Count;

    /// <summary>Bytes of weights on the device.</summary>
    public long WeightBytes => weights.Sum(uploaded => uploaded.TotalBytes);

    /// <summary>Free and total device memory.</summary>
    public (long FreeBytes, long TotalBytes) ReadMemory() => state.Context.ReadMemory();

    public bool RunsAhead => true;

    public bool ReadsWeightsInPlace => false;

    /// <summary>Everything that was queued is done.</summary>
    internal bool IsIdle => state.Stream.IsIdle();

    public ExecutionPlan Plan(ComputeGraph graph) => PlanFor(graph, state.Storage, CacheFormat, HasHalfSums);

    /// <summary>The plan of a graph on any GPU.</summary>
    /// <param name="graph">As the model builds it.</param>
    /// <param name="storage">Type of weights and of activations outside of the residual stream.</param>
    /// <param name="cache">Of keys and values; null for the storage type.</param>
    /// <param name="hasHalfSums">Linears of many rows add products as <see cref="HalfSums"/>.</param>
    public static ExecutionPlan PlanFor(ComputeGraph graph, DType storage, CacheFormat? cache = null, bool hasHalfSums = false)
    {
        if (TrainingLowering.IsTraining(graph))
            return MemoryPlanner.Plan(TrainingLowering.Lower(graph, storage));
        // What has counters must keep them from run to run, outside of the arena.
        ComputeGraph lowered = CudaLowering.Lower(graph, storage, cache, hasHalfSums);
        return MemoryPlanner.Plan(lowered, operation => KernelChoice.ScratchBytes(operation, lowered));
    }

    /// <exception cref="NotSupportedException">The layout is of another format than the backend's.</exception>
    public IKeyValueMemory AllocatePages(KeyValueLayout layout, int pages) => layout.Format == CacheFormat
        ? new CudaKeyValueMemory(state.Context, state.Stream, layout, pages)
        : throw new NotSupportedException($"expected a key/value cache of {CacheFormat}, found {layout.Format}");

    public IRowMemory AllocateRows(int rows, int columns) => new CudaRowMemory(state.Context, state.Stream, rows, columns);

    public IBoundGraph Bind(ExecutionPlan plan, IWeightSource weights, IKeyValueMemory? pages = null, IRowMemory? rows = null, StepLimits? limits = null)
    {
        ArgumentNullException.ThrowIfNull(plan);
        ArgumentNullException.ThrowIfNull(weights);
        if (pages is not (null or CudaKeyValueMemory))
            throw new ArgumentException("the pages are of another backend", nameof(pages));
        if (rows is not (null or CudaRowMemory))
            throw new ArgumentException("the rows are of another backend", nameof(rows));
        state.Arena.Require(plan.ArenaBytes);
        return new CudaBoundGraph(plan, state, WeightsOf(weights), (CudaKeyValueMemory?)pages, (CudaRowMemory?)rows, limits);
    }

    /// <exception cref="NotSupportedException">The storage type is F16, whose range is too small for gradients, or the GPU is too old.</exception>
    public IParameterMemory AllocateParameters(IReadOnlyList<ParameterSpec> parameters)
    {
        ArgumentNullException.ThrowIfNull(parameters);
        if (state.Storage == DType.F16 || state.Context.Device.Capability.Major < 8)
            throw new NotSupportedException($"training on a GPU: expected compute capability 8.0 or later and a storage type of {DType.BF16}, found {state.Storage} on {state.Context.Device}");
        return new CudaParameters(parameters, state);
    }

    /// <summary>Bytes of device memory of parameters, with gradients and the optimiser's means.</summary>
    public static long ParameterBytes(IEnumerable<ParameterSpec> parameters) => CudaParameters.BytesFor(parameters);

    public IBoundGraph BindTraining(ExecutionPlan plan, IWeightSource weights, IParameterMemory parameters)
    {
        ArgumentNullException.ThrowIfNull(plan);
        ArgumentNullException.ThrowIfNull(weights);
        if (parameters is not CudaParameters mine)
            throw new ArgumentException("the parameters are of another backend", nameof(parameters));
        state.Arena.Require(plan.ArenaBytes);
        return new CudaBoundGraph(plan, state, WeightsOf(weights), null, null, null, mine);
    }

    /// <summary>Device memory of a sampler.</summary>
    public static long SamplerBytes(int vocabularySize, int slots) => new SamplerLayout(slots, new SampleToken(vocabularySize)).TotalBytes;

    public ITokenSampler CreateSampler(int vocabularySize, int slots) => new CudaTokenSampler(state, vocabularySize, slots);

    public void Dispose()
    {
        foreach (CudaWeights uploaded in weights)
            uploaded.Dispose();
        state.Dispose();
    }

    private static string NoCache(CacheFormat cache, DType storage) =>
        $"cache: expected {CacheFormat.Of(storage)} on this GPU, the type of its weights and activations{(DeviceCaches.Has(CacheFormat.Int8, storage) ? $", or {CacheFormat.Int8}" : "")}; found {cache}";

    private static DType ServedStorage(CudaBackendOptions options, CudaDevice device)
    {
        bool hasBrainFloats = device.Capability.Major >= 8;
        if (options.Storage is null)
            return hasBrainFloats ? options.PreferredStorage : DType.F16;
        if (!options.Storage.Value.IsFloat())
            throw new ArgumentOutOfRangeException(nameof(options), options.Storage, "expected a floating storage type");
        if (options.Storage == DType.BF16 && !hasBrainFloats)
            throw new CudaUnavailableException(CudaUnavailableReason.DeviceTooOld, $"{device} has no tensor cores for bf16, which begin with compute capability 8.0; f16 runs on it");
        return options.Storage.Value;
    }

    private CudaWeights WeightsOf(IWeightSource source)
    {
        if (!weightsOfSource.TryGetValue(source, out CudaWeights? uploaded))
        {
            uploaded = new CudaWeights(state.Context, state.Ring, source);
            weightsOfSource.Add(source, uploaded);
            weights.Add(uploaded);
        }

        return uploaded;
    }
}

/// <summary>How a GPU is used.</summary>
public sealed record CudaBackendOptions
{
    /// <summary>Which libraries, and which GPU.</summary>
    public CudaOptions Device { get; init; } = new();

    /// <summary>Type of weights, cache and activations outside of the residual stream: BF16 or F16; F32 is for tests, and slow. Null for
    /// <see cref="PreferredStorage"/> where the GPU has it, else F16.</summary>
    public DType? Storage { get; init; }

    /// <summary>Of keys and values: the storage type, or int8 beside 16 bits. Null for the storage type.</summary>
    public CacheFormat? KeyValueCache { get; init; }

    /// <summary>Linears of many rows add products as <see cref="HalfSums"/>: F16 storage on consumer cards alone.</summary>
    public bool HasHalfSums { get; init; }

    /// <summary>BF16 or F16: what the weights are best kept in.</summary>
    public DType PreferredStorage { get; init; } = DType.BF16;

    /// <summary>The table of token embeddings stays in page-locked host memory, where the kernel reads the rows that it wants.</summary>
    public bool EmbeddingsOnHost { get; init; }

    /// <summary>Where compiled kernels are kept.</summary>
    public CubinCacheOptions Cache { get; init; } = new();

    /// <summary>Told of each kernel that is compiled or found.</summary>
    public IProgress<CompileProgress>? CompileProgress { get; init; }

    /// <summary>Told how many bytes of weights are on their way since the backend was made, after each piece.</summary>
    public IProgress<long>? UploadProgress { get; init; }
}
