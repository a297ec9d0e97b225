using XComposer2.Native.Graph;

namespace XComposer2.Native.Runtime;

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
