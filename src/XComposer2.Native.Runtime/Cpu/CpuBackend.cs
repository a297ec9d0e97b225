using System.Globalization;
using XComposer2.Native.Cpu;
using XComposer2.Native.Graph;

namespace XComposer2.Native.Runtime;

/// <summary>Runs graphs on the processor. Weights are used where they lie.</summary>
public sealed class CpuBackend : IBackend
{
    private readonly WorkerPool pool;
    private readonly CpuArena arena = new();
    private readonly RopeTables ropeTables = new();

    /// <param name="threads">Threads, the caller's included; null for one per processor.</param>
    public CpuBackend(int? threads = null) => pool = new WorkerPool(threads ?? Environment.ProcessorCount);

    public int Threads => pool.Threads;

    public string Description => string.Create(
        CultureInfo.InvariantCulture, $"cpu, {Threads} {(Threads == 1 ? "thread" : "threads")}, {(int)VectorWidth.Best.Resolve()}-bit vectors");

    /// <summary>F32: the cache is a small part of what a step reads, and rounding it would cost the golden results' accuracy for little.</summary>
    public DType CacheType => DType.F32;

    public bool RunsAhead => false;

    public ExecutionPlan Plan(ComputeGraph graph) => PlanFor(graph, Threads);

    /// <summary>The plan of a graph on so many threads, without making them.</summary>
    public static ExecutionPlan PlanFor(ComputeGraph graph, int threads)
    {
        ArgumentNullException.ThrowIfNull(graph);
        return MemoryPlanner.Plan(graph, operation => CpuSteps.ScratchBytes(graph, operation, threads));
    }

    public IKeyValueMemory AllocatePages(KeyValueLayout layout, int pages) => new CpuKeyValueMemory(layout, pages);

    public IBoundGraph Bind(ExecutionPlan plan, IWeightSource weights, IKeyValueMemory? pages = null)
    {
        ArgumentNullException.ThrowIfNull(plan);
        ArgumentNullException.ThrowIfNull(weights);
        if (pages is not (null or CpuKeyValueMemory))
            throw new ArgumentException("the pages are of another backend", nameof(pages));
        arena.Require(plan.ArenaBytes);
        return new CpuBoundGraph(plan, weights, (CpuKeyValueMemory?)pages, arena, pool, ropeTables);
    }

    public ITokenSampler CreateSampler(SamplingParameters parameters, int vocabularySize, ulong seed) =>
        new CpuTokenSampler(new TokenSampler(parameters, vocabularySize, seed), vocabularySize);

    public void Dispose()
    {
        pool.Dispose();
        arena.Dispose();
    }
}

/// <summary>Samples in host memory, at once.</summary>
internal sealed class CpuTokenSampler(TokenSampler sampler, int vocabularySize) : ITokenSampler
{
    private const int MostChoices = 2;

    private readonly Queue<int> choices = new(MostChoices);

    /// <summary>The id that was chosen last.</summary>
    public int Latest { get; private set; }

    public void Choose(IBoundGraph graph, Tensor logits, int row)
    {
        ArgumentNullException.ThrowIfNull(graph);
        if (choices.Count == MostChoices)
            throw new InvalidOperationException($"{MostChoices} choices are not taken yet");
        Latest = sampler.Next(graph.Output(logits).Slice(row * vocabularySize, vocabularySize));
        choices.Enqueue(Latest);
    }

    public int Take() => choices.TryDequeue(out int id) ? id : throw new InvalidOperationException("nothing was chosen");

    public void Dispose()
    {
    }
}
