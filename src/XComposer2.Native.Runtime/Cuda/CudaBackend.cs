using System.Runtime.CompilerServices;
using XComposer2.Native.Cuda;
using XComposer2.Native.Graph;
using XComposer2.Native.Kernels;

namespace XComposer2.Native.Runtime;

/// <summary>Runs graphs on an NVIDIA GPU. Weights are uploaded when a graph that uses them is bound, once for all graphs of a source.</summary>
public sealed class CudaBackend : IBackend
{
    private readonly CudaDeviceState state;
    private readonly ConditionalWeakTable<IWeightSource, CudaWeights> weightsOfSource = [];
    private readonly List<CudaWeights> weights = [];

    /// <exception cref="CudaUnavailableException">No driver, no GPU, or no compiler: the message says what is missing and what to do.</exception>
    public CudaBackend(CudaBackendOptions? options = null)
    {
        options ??= new CudaBackendOptions();
        _ = CudaBinder.KernelStorageOf(options.Storage);
        CudaAvailability found = CudaAvailability.TryOpen(options.Device, out CudaContext? context);
        if (context is null)
            throw new CudaUnavailableException(found.Reason!.Value, found.Message);
        try
        {
            Nvrtc compiler = Nvrtc.Load(options.Device.CompilerLibrary, context.Driver.Version);
            var cache = new CubinCache(KernelLoader.Source, () => compiler, options.Cache);
            var kernels = new KernelLoader(context, cache, CudaTarget.For(context.Device.Capability, compiler));
            state = new CudaDeviceState(context, options.Storage, kernels, options.CompileProgress);
        }
        catch
        {
            context.Dispose();
            throw;
        }
    }

    public string Description => $"cuda, {state.Context.Device}, {state.Storage.ToString().ToLowerInvariant()}";

    public DType CacheType => state.Storage;

    public ExecutionPlan Plan(ComputeGraph graph)
    {
        // No kernel wants scratch in the arena: what has counters must keep them from run to run.
        return MemoryPlanner.Plan(CudaLowering.Lower(graph, state.Storage));
    }

    public IKeyValueMemory AllocatePages(KeyValueLayout layout, int pages) => new CudaKeyValueMemory(state.Context, state.Stream, layout, pages);

    public IBoundGraph Bind(ExecutionPlan plan, IWeightSource weights, IKeyValueMemory? pages = null)
    {
        ArgumentNullException.ThrowIfNull(plan);
        ArgumentNullException.ThrowIfNull(weights);
        if (pages is not (null or CudaKeyValueMemory))
            throw new ArgumentException("the pages are of another backend", nameof(pages));
        state.Arena.Require(plan.ArenaBytes);
        return new CudaBoundGraph(plan, state, WeightsOf(weights), (CudaKeyValueMemory?)pages);
    }

    public ITokenSampler CreateSampler(SamplingParameters parameters, int vocabularySize, ulong seed) =>
        new CudaTokenSampler(state, parameters, vocabularySize, seed);

    public void Dispose()
    {
        foreach (CudaWeights uploaded in weights)
            uploaded.Dispose();
        state.Dispose();
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
