using System.Runtime.InteropServices;

namespace XComposer2.Native.Cuda;

/// <summary>An instantiated graph, launched repeatedly as a unit. Two launches of the same instance never overlap.</summary>
public sealed unsafe class CudaGraphExecutable : CudaResource
{
    private readonly GraphExecutableHandle handle;

    internal CudaGraphExecutable(CudaContext context, GraphExecutableHandle handle)
        : base(context) => this.handle = handle;

    /// <summary>Queues the whole graph.</summary>
    public void Launch(CudaStream stream)
    {
        ArgumentNullException.ThrowIfNull(stream);
        Enter();
        Driver.Check(Functions.cuGraphLaunch(handle, stream.Handle), nameof(DriverFunctions.cuGraphLaunch));
    }

    /// <summary>Does the first launch's upload to the device without running the graph.</summary>
    public void Upload(CudaStream stream)
    {
        ArgumentNullException.ThrowIfNull(stream);
        Enter();
        Driver.Check(Functions.cuGraphUpload(handle, stream.Handle), nameof(DriverFunctions.cuGraphUpload));
    }

    /// <summary>
    /// Takes over the parameters of another capture with the same topology. On any result other than <see cref="GraphUpdateResult.Success"/>
    /// this instance is unchanged and a new one must be instantiated.
    /// </summary>
    public GraphUpdateResult TryUpdate(CudaGraph graph)
    {
        ArgumentNullException.ThrowIfNull(graph);
        Enter();
        GraphUpdateInfo info = default;
        CudaResult result = Functions.cuGraphExecUpdate_v2(handle, graph.Use(), &info);
        if (result == CudaResult.GraphExecUpdateFailure) return info.Result == GraphUpdateResult.Success ? GraphUpdateResult.Error : info.Result;
        Driver.Check(result, nameof(DriverFunctions.cuGraphExecUpdate_v2));
        return GraphUpdateResult.Success;
    }

    /// <summary>Changes a kernel node for all later launches.</summary>
    /// <param name="node">A node of the graph from which this was instantiated.</param>
    /// <param name="kernel">The kernel to run.</param>
    /// <param name="geometry">Grid, block and dynamic shared memory; launch attributes stay as recorded.</param>
    /// <param name="arguments">The kernel's single argument; copied.</param>
    public void SetKernel<T>(GraphNode node, CudaKernel kernel, in LaunchGeometry geometry, in T arguments)
        where T : unmanaged =>
        SetKernel(node, kernel, geometry, MemoryMarshal.AsBytes(new ReadOnlySpan<T>(in arguments)));

    /// <inheritdoc cref="SetKernel{T}"/>
    public void SetKernel(GraphNode node, CudaKernel kernel, in LaunchGeometry geometry, ReadOnlySpan<byte> arguments)
    {
        ArgumentNullException.ThrowIfNull(kernel);
        Enter();
        fixed (byte* start = arguments)
        {
            void* argument = start;
            KernelNodeParameters parameters = new()
            {
                GridDimX = (uint)geometry.Grid.X,
                GridDimY = (uint)geometry.Grid.Y,
                GridDimZ = (uint)geometry.Grid.Z,
                BlockDimX = (uint)geometry.Block.X,
                BlockDimY = (uint)geometry.Block.Y,
                BlockDimZ = (uint)geometry.Block.Z,
                SharedMemBytes = (uint)geometry.DynamicSharedBytes,
                KernelParams = &argument,
                Kern = kernel.Handle,
            };
            Driver.Check(
                Functions.cuGraphExecKernelNodeSetParams_v2(handle, node, &parameters),
                nameof(DriverFunctions.cuGraphExecKernelNodeSetParams_v2), $"{kernel.Name}, {geometry}");
        }
    }

    private protected override void Release() => Context.NoteRelease(Functions.cuGraphExecDestroy(handle), nameof(DriverFunctions.cuGraphExecDestroy));
}

/// <summary><c>CUgraphExecUpdateResult</c>: outcome of updating an instantiated graph.</summary>
public enum GraphUpdateResult
{
    Success = 0,
    Error = 1,
    ErrorTopologyChanged = 2,
    ErrorNodeTypeChanged = 3,
    ErrorFunctionChanged = 4,
    ErrorParametersChanged = 5,
    ErrorNotSupported = 6,
    ErrorUnsupportedFunctionChange = 7,
    ErrorAttributesChanged = 8,
}
