using XComposer2.Native.Graph;

namespace XComposer2.Native.Runtime;

/// <summary>Samples in host memory.</summary>
internal sealed class CpuTokenSampler(TokenSampler sampler) : ITokenSampler
{
    public int Sample(IBoundGraph graph, Tensor logits) => sampler.Next(graph.Output(logits));

    public void Dispose()
    {
    }
}
