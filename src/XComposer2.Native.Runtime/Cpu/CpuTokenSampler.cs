using XComposer2.Native.Graph;

namespace XComposer2.Native.Runtime;

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
