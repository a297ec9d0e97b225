using System.Globalization;
using XComposer2.Native.Cpu;
using XComposer2.Native.Graph;

namespace XComposer2.Native.Runtime;

/// <summary>Runs graphs on the processor. Weights are used where they lie, but for integers that are packed for <see cref="DotInstructions"/>.</summary>
public sealed class CpuBackend : IBackend, ITrainingBackend
{
    private readonly WorkerPool pool;
    private readonly CpuArena arena = new();
    private readonly RopeTables ropeTables = new();
    private readonly PackedWeights packed;
    private readonly PackedWeights unpacked = new(DotInstructions.None);

    /// <param name="threads">Threads, the caller's included; null for one per processor.</param>
    /// <param name="cache">How keys and values are cached. F32 by default: the cache is a small part of what a step reads, and rounding it would cost the golden
    /// results' accuracy for little; the others are for long contexts.</param>
    /// <param name="roundsActivations">Weights of integers are multiplied with activations that are rounded to 8 bits, where the processor has instructions for it; otherwise as floats.</param>
    public CpuBackend(int? threads = null, CacheFormat cache = default, bool roundsActivations = false)
    {
        CacheFormat = cache;
        Integers = roundsActivations ? DotInstructionSets.Best : DotInstructions.None;
        packed = new PackedWeights(Integers);
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
            return string.Create(CultureInfo.InvariantCulture, $"cpu, {Threads} {(Threads == 1 ? "thread" : "threads")}, {vectors.ProgramBits}-bit vectors{wider}{(Integers == DotInstructions.None ? "" : $", integers with {Integers.Name()}")}");
        }
    }

    public CacheFormat CacheFormat { get; }

    /// <summary>Instructions that multiply weights of integers; none where they are multiplied as floats.</summary>
    public DotInstructions Integers { get; }

    /// <summary>Bytes of weights in the order of these instructions.</summary>
    public long PackedBytes => packed.TotalBytes;

    /// <summary>Weights of integers are multiplied with rounded activations.</summary>
    public bool RoundsActivations => Integers != DotInstructions.None;

    public bool RunsAhead => false;

    public bool ReadsWeightsInPlace => true;

    public ExecutionPlan Plan(ComputeGraph graph) => PlanFor(graph, Threads);

    /// <summary>The plan of a graph on so many threads, without making them.</summary>
    public static ExecutionPlan PlanFor(ComputeGraph graph, int threads)
    {
        ArgumentNullException.ThrowIfNull(graph);
        return MemoryPlanner.Plan(graph, operation => CpuSteps.ScratchBytes(graph, operation, threads));
    }

    /// <summary>Bytes of a weight of integers: packed for this processor's instructions, or as stored.</summary>
    /// <param name="format">Of integers.</param>
    /// <param name="shape">[out, in].</param>
    /// <param name="roundsActivations">As of the backend.</param>
    public static long IntegerBytes(WeightFormat format, Shape shape, bool roundsActivations)
    {
        DotInstructions instructions = roundsActivations ? DotInstructionSets.Best : DotInstructions.None;
        return instructions != DotInstructions.None && PackedIntegers.CanPack(format) ? PackedIntegers.BytesOf(format, shape[0], shape[1], instructions) : format.Bytes(shape);
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
        return new CpuBoundGraph(plan, new CpuSources(weights, (CpuKeyValueMemory?)pages, (CpuRowMemory?)rows, ropeTables, packed, limits), arena, pool);
    }

    public IParameterMemory AllocateParameters(IReadOnlyList<ParameterSpec> parameters) => new CpuParameters(parameters, pool);

    public IBoundGraph BindTraining(ExecutionPlan plan, IWeightSource weights, IParameterMemory parameters)
    {
        ArgumentNullException.ThrowIfNull(plan);
        ArgumentNullException.ThrowIfNull(weights);
        if (parameters is not CpuParameters mine)
            throw new ArgumentException("the parameters are of another backend", nameof(parameters));
        arena.Require(plan.ArenaBytes);
        return new CpuBoundGraph(plan, new CpuSources(weights, null, null, ropeTables, unpacked, null, mine), arena, pool);
    }

    public ITokenSampler CreateSampler(int vocabularySize, int slots) => new CpuTokenSampler(vocabularySize, slots);

    public void Dispose()
    {
        pool.Dispose();
        arena.Dispose();
        packed.Dispose();
        unpacked.Dispose();
    }
}
