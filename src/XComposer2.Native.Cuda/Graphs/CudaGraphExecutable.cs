using System.Runtime.InteropServices;

namespace XComposer2.Native.Cuda;

/// <summary>A graph made ready to run, as one unit, again and again. Two launches of the same one never overlap.</summary>
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

    /// <summary>Moves to the device what the first launch would have to, without running.</summary>
    public void Upload(CudaStream stream)
    {
        ArgumentNullException.ThrowIfNull(stream);
        Enter();
        Driver.Check(Functions.cuGraphUpload(handle, stream.Handle), nameof(DriverFunctions.cuGraphUpload));
    }

    /// <summary>
    /// Takes over the parameters of another capture of the same shape. Any other result than <see cref="GraphUpdateResult.Success"/> means that
    /// it stayed as it was, and a new one has to be instantiated.
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

    /// <summary>Changes a step that is a kernel, for the launches to come.</summary>
    /// <param name="node">A node of the graph that this was instantiated from.</param>
    /// <param name="kernel">The kernel to run there.</param>
    /// <param name="geometry">Its grid, block and dynamic shared memory; launch attributes stay as they were recorded.</param>
    /// <param name="arguments">The kernel's one argument, which is copied.</param>
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

/// <summary><c>CUgraphExecUpdateResult</c>: whether an instantiated graph took over another capture, or why not.</summary>
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
