using XComposer2.Native.Graph;

namespace XComposer2.Native.Runtime;

/// <summary>Chooses the tokens of one answer from logits where they lie, on the backend's device. Not thread-safe.</summary>
public interface ITokenSampler : IDisposable
{
    /// <summary>Chooses an id from the logits of the last run and remembers it for the repetition penalty.</summary>
    /// <param name="graph">Of the same backend.</param>
    /// <param name="logits">An output [1, vocabulary]; may be overwritten.</param>
    /// <exception cref="InvalidOperationException">A logit is NaN, or all are -infinity: the model's arithmetic failed.</exception>
    int Sample(IBoundGraph graph, Tensor logits);
}
