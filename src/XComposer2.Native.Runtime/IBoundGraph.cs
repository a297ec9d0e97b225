using XComposer2.Native.Graph;

namespace XComposer2.Native.Runtime;

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
