using XComposer2.Native.Graph;

namespace XComposer2.Native.Runtime;

/// <summary>The one place that knows which kernel runs which operation of a lowered graph, and the scratch that it wants.</summary>
internal static class CudaSteps
{
    public static CudaStep Bind(Operation operation, CudaBinder binder, int step) =>
        throw new NotSupportedException($"the GPU has no kernel for {operation.Name} yet (step {step}, {binder.Storage})");

    public static long ScratchBytes(ComputeGraph graph, Operation operation) => graph.Operations.Contains(operation) ? 0 : 0;
}
