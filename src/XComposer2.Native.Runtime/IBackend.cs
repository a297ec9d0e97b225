using XComposer2.Native.Graph;

namespace XComposer2.Native.Runtime;

/// <summary>A device that runs graphs. Not thread-safe: one run at a time.</summary>
public interface IBackend : IDisposable
{
    /// <summary>For people, for example "cpu, 2 threads, 512-bit vectors".</summary>
    string Description { get; }

    /// <summary>Type in which keys and values are cached.</summary>
    DType CacheType { get; }

    /// <summary>A run returns before its results are there, so that the next one can be queued behind it: waiting for results comes last.</summary>
    bool RunsAhead { get; }

    /// <summary>The memory plan of a graph, with the scratch that this device's kernels want.</summary>
    ExecutionPlan Plan(ComputeGraph graph);

    /// <summary>Memory for the pages of a key/value cache. Dispose it before the backend.</summary>
    IKeyValueMemory AllocatePages(KeyValueLayout layout, int pages);

    /// <summary>Binds every operation of a plan to a kernel and its operands to memory, once.</summary>
    /// <param name="plan">Made by <see cref="Plan"/>.</param>
    /// <param name="weights">Must outlive the bound graph.</param>
    /// <param name="pages">Needed where the graph has a cache. Must outlive the bound graph.</param>
    /// <exception cref="GraphException">A weight is missing or not as the graph says.</exception>
    IBoundGraph Bind(ExecutionPlan plan, IWeightSource weights, IKeyValueMemory? pages = null);

    /// <summary>A sampler for one answer.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A parameter is out of its range.</exception>
    ITokenSampler CreateSampler(SamplingParameters parameters, int vocabularySize, ulong seed);
}

/// <summary>A graph ready to run: write the inputs, run, read the outputs. Nothing is looked up or allocated while it runs.</summary>
public interface IBoundGraph : IDisposable
{
    ComputeGraph Graph { get; }

    /// <summary>Staging memory of an F32 input at full capacity; keeps what was written to it.</summary>
    Span<float> Floats(Tensor input);

    /// <summary>Staging memory of an I32 input at full capacity; keeps what was written to it.</summary>
    Span<int> Integers(Tensor input);

    /// <summary>Gives the next run, in the place of an element of an I32 input, what a sampler chose last; it need not be known to the host yet.</summary>
    /// <param name="input">[rows].</param>
    /// <param name="row">Which element.</param>
    /// <param name="sampler">Of the same backend; has chosen.</param>
    void Feed(Tensor input, int row, ITokenSampler sampler);

    /// <summary>Runs with these counts, none of them above the graph's capacity.</summary>
    /// <param name="counts">Rows of this run.</param>
    /// <param name="sequences">Which rows belong to which sequence; room must be reserved. Their lengths do not change here: advance them when the step is done.</param>
    /// <param name="cancellation">Looked at between operations.</param>
    /// <exception cref="OperationCanceledException">Outputs hold nothing of use; the cache is as long as it was.</exception>
    void Run(RowCounts counts, ReadOnlySpan<SequenceRows> sequences, CancellationToken cancellation);

    /// <summary>An output of the last run [rows of that run, columns]; valid until any graph of this backend runs again.</summary>
    Span<float> Output(Tensor output);
}

/// <summary>
/// Chooses the tokens of one answer from logits where they lie, on the backend's device. To choose and to hear what was chosen are two calls, so that
/// a device can be given the step after (<see cref="IBoundGraph.Feed"/>) before the host knows its token. Not thread-safe.
/// </summary>
public interface ITokenSampler : IDisposable
{
    /// <summary>Chooses an id from the logits of the last run, and remembers it for the repetition penalty. Two choices at most are not taken yet.</summary>
    /// <param name="graph">Of the same backend.</param>
    /// <param name="logits">An output [rows, vocabulary]; the row may be overwritten.</param>
    /// <param name="row">Of the output.</param>
    /// <exception cref="InvalidOperationException">As <see cref="Take"/>, where the device chooses at once; or two are not taken yet.</exception>
    void Choose(IBoundGraph graph, Tensor logits, int row = 0);

    /// <summary>The oldest choice that was not taken yet; waits for it.</summary>
    /// <exception cref="InvalidOperationException">A logit is NaN, or all are -infinity: the model's arithmetic failed. Or nothing was chosen.</exception>
    int Take();
}
