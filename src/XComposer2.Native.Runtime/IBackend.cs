using XComposer2.Native.Graph;

namespace XComposer2.Native.Runtime;

/// <summary>A device that runs graphs. Not thread-safe: one run at a time.</summary>
public interface IBackend : IDisposable
{
    /// <summary>For people, for example "cpu, 2 threads, 512-bit vectors".</summary>
    string Description { get; }

    /// <summary>How keys and values are cached.</summary>
    CacheFormat CacheFormat { get; }

    /// <summary>A run returns before its results are there, so that the next one can be queued behind it: waiting for results comes last.</summary>
    bool RunsAhead { get; }

    /// <summary>Runs read weights where their source has them; false where binding copies them.</summary>
    bool ReadsWeightsInPlace { get; }

    /// <summary>The memory plan of a graph, with the scratch that this device's kernels want.</summary>
    ExecutionPlan Plan(ComputeGraph graph);

    /// <summary>Memory for the pages of a key/value cache. Dispose it before the backend.</summary>
    IKeyValueMemory AllocatePages(KeyValueLayout layout, int pages);

    /// <summary>Binds every operation of a plan to a kernel and its operands to memory, once.</summary>
    /// <param name="plan">Made by <see cref="Plan"/>.</param>
    /// <param name="weights">Must outlive the bound graph.</param>
    /// <param name="pages">Needed where the graph has a cache. Must outlive the bound graph.</param>
    /// <param name="rows">Needed where the graph has resident rows. Must outlive the bound graph.</param>
    /// <param name="limits">Null for as many sequences as the graph has rows, each as long as all pages together.</param>
    /// <exception cref="GraphException">A weight is missing or not as the graph says.</exception>
    IBoundGraph Bind(ExecutionPlan plan, IWeightSource weights, IKeyValueMemory? pages = null, IRowMemory? rows = null, StepLimits? limits = null);

    /// <summary>Memory for rows that graphs read in place. Dispose it before the backend.</summary>
    IRowMemory AllocateRows(int rows, int columns);

    /// <summary>A sampler with room for several answers. Dispose it before the backend.</summary>
    ITokenSampler CreateSampler(int vocabularySize, int slots);
}

/// <summary>A graph ready to run: write the inputs, run, read the outputs. Nothing is looked up or allocated while it runs.</summary>
public interface IBoundGraph : IDisposable
{
    ComputeGraph Graph { get; }

    /// <summary>Staging memory of an F32 input at full capacity; keeps what was written to it.</summary>
    Span<float> Floats(Tensor input);

    /// <summary>Staging memory of an I32 input at full capacity; keeps what was written to it.</summary>
    Span<int> Integers(Tensor input);

    /// <summary>Gives the next run, in the place of an element of an I32 input, what a sampler chose last in a slot; it need not be known to the host yet.</summary>
    /// <param name="input">[rows].</param>
    /// <param name="row">Which element.</param>
    /// <param name="sampler">Of the same backend.</param>
    /// <param name="slot">Has chosen.</param>
    void Feed(Tensor input, int row, ITokenSampler sampler, int slot);

    /// <summary>Runs with these counts, none of them above the graph's capacity.</summary>
    /// <param name="counts">Rows of this run.</param>
    /// <param name="sequences">Which rows belong to which sequence; room must be reserved. Their lengths do not change here: advance them when the step is done.</param>
    /// <param name="cancellation">Looked at between operations.</param>
    /// <exception cref="OperationCanceledException">Outputs hold nothing of use; the cache is as long as it was.</exception>
    void Run(RowCounts counts, ReadOnlySpan<SequenceRows> sequences, CancellationToken cancellation);

    /// <summary>An output of the last run [rows of that run, columns]; valid until any graph of this backend runs again.</summary>
    Span<float> Output(Tensor output);
}

/// <summary>Rows that graphs read in place, in a backend's memory: rows of pictures, kept between the vision tower and the decoder. Not thread-safe.</summary>
public interface IRowMemory : IDisposable
{
    /// <summary>Rows that there is room for.</summary>
    int Rows { get; }

    /// <summary>F32 elements of a row.</summary>
    int Columns { get; }

    /// <summary>Writes whole rows from a row on. Happens behind the runs that were queued before.</summary>
    void Write(int row, ReadOnlySpan<float> values);

    /// <summary>Writes what the last run of a graph gave, without a way over the host.</summary>
    /// <param name="graph">Of the same backend.</param>
    /// <param name="output">[rows, <see cref="Columns"/>].</param>
    /// <param name="row">Where the first row goes.</param>
    void CopyFrom(IBoundGraph graph, Tensor output, int row);

    /// <summary>Waits, and reads rows.</summary>
    float[] Read(int row, int count);
}

/// <summary>The most that steps of a bound graph will hold: what page tables, rotary tables and scratch are sized by.</summary>
/// <param name="Sequences">Of one step.</param>
/// <param name="PagesPerSequence">Entries of a sequence's page table.</param>
/// <param name="Positions">Tokens of a sequence.</param>
public readonly record struct StepLimits(int Sequences, int PagesPerSequence, int Positions)
{
    /// <summary>Sequences of one step on any backend.</summary>
    public const int MaximumSequences = 64;

    /// <summary>For sequences of a context.</summary>
    public static StepLimits For(int sequences, int contextLength) => new(sequences, checked((int)KeyValuePages.Count(contextLength)), contextLength);
}
