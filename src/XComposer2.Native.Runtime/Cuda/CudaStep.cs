using XComposer2.Native.Cuda;
using XComposer2.Native.Graph;
using XComposer2.Native.Kernels;

namespace XComposer2.Native.Runtime;

/// <summary>One operation, bound to the kernels that its rows may take. A launch takes the kernel of the rows that run.</summary>
internal sealed class CudaStep
{
    private readonly KernelsByRows choice;
    private readonly RowExtent rows;
    private readonly KernelLaunch[] launches;
    private readonly CudaKernel?[] loaded;

    public CudaStep(Operation operation, ComputeGraph graph, IKernelOperands operands)
    {
        choice = KernelsByRows.Of(operation, graph, operands.Device);
        rows = graph[operation.Output].Rows;
        launches = [.. choice.Kernels.Select(kernel => kernel.Bind(operation, operands))];
        loaded = new CudaKernel?[launches.Length];
    }

    /// <summary>What has to be compiled.</summary>
    public IEnumerable<KernelDefinition> Definitions => choice.Kernels;

    /// <summary>Takes the loaded kernels; called once, before the first launch.</summary>
    public void Attach(KernelLoader loader)
    {
        for (int i = 0; i < loaded.Length; i++)
            loaded[i] = loader.Get(choice.Kernels[i]);
    }

    public void Launch(in KernelRun run)
    {
        int count = run.Counts.Resolve(rows);
        if (count == 0)
            return;
        int index = choice.IndexFor(count);
        launches[index](loaded[index]!, run);
    }
}
