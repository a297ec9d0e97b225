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
    /// <param name="cache">How keys and values are cached. F32 by default: the cache is a small part of what a step reads, and rounding it would cost the golden
    /// results' accuracy for little; the others are for long contexts.</param>
    public CpuBackend(int? threads = null, CacheFormat cache = default)
    {
        CacheFormat = cache;
        pool = new WorkerPool(threads ?? Environment.ProcessorCount);
    }

    public int Threads => pool.Threads;

    /// <summary>Set if the processor has wider vectors than the program uses: why, and the remedy.</summary>
    public static string? VectorWarning => VectorSupport.Current.Warning;

    public string Description
    {
        get
        {
            VectorSupport vectors = VectorSupport.Current;
            string wider = vectors.IsNarrow ? $" (the processor has {vectors.ProcessorBits}-bit vectors)" : "";
            return string.Create(CultureInfo.InvariantCulture, $"cpu, {Threads} {(Threads == 1 ? "thread" : "threads")}, {vectors.ProgramBits}-bit vectors{wider}");
        }
    }

    public CacheFormat CacheFormat { get; }

    public bool RunsAhead => false;

    public bool AdjustsLogits => true;

    public bool ReadsWeightsInPlace => true;

    public ExecutionPlan Plan(ComputeGraph graph) => PlanFor(graph, Threads);

    /// <summary>The plan of a graph on so many threads, without making them.</summary>
    public static ExecutionPlan PlanFor(ComputeGraph graph, int threads)
    {
        ArgumentNullException.ThrowIfNull(graph);
        return MemoryPlanner.Plan(graph, operation => CpuSteps.ScratchBytes(graph, operation, threads));
    }

    public IKeyValueMemory AllocatePages(KeyValueLayout layout, int pages) => new CpuKeyValueMemory(layout, pages);

    public IRowMemory AllocateRows(int rows, int columns) => new CpuRowMemory(rows, columns);

    public IBoundGraph Bind(ExecutionPlan plan, IWeightSource weights, IKeyValueMemory? pages = null, IRowMemory? rows = null, StepLimits? limits = null)
    {
        ArgumentNullException.ThrowIfNull(plan);
        ArgumentNullException.ThrowIfNull(weights);
        if (pages is not (null or CpuKeyValueMemory))
            throw new ArgumentException("the pages are of another backend", nameof(pages));
        if (rows is not (null or CpuRowMemory))
            throw new ArgumentException("the rows are of another backend", nameof(rows));
        arena.Require(plan.ArenaBytes);
        return new CpuBoundGraph(plan, new CpuSources(weights, (CpuKeyValueMemory?)pages, (CpuRowMemory?)rows, ropeTables, limits), arena, pool);
    }

    public ITokenSampler CreateSampler(int vocabularySize, int slots) => new CpuTokenSampler(vocabularySize, slots);

    public void Dispose()
    {
        pool.Dispose();
        arena.Dispose();
    }
}
