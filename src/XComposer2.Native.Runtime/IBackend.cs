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
