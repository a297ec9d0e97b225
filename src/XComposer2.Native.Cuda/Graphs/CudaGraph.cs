namespace XComposer2.Native.Cuda;

/// <summary>A captured graph. It can be instantiated any number of times and disposed before its instances.</summary>
public sealed unsafe class CudaGraph : CudaResource
{
    private readonly GraphHandle handle;

    internal CudaGraph(CudaContext context, GraphHandle handle)
        : base(context) => this.handle = handle;

    public CudaGraphExecutable Instantiate()
    {
        GraphHandle graph = Use();
        GraphExecutableHandle executable;
        Driver.Check(
            Functions.cuGraphInstantiateWithFlags(&executable, graph, GraphInstantiateFlags.None), nameof(DriverFunctions.cuGraphInstantiateWithFlags));
        return new CudaGraphExecutable(Context, executable);
    }

    /// <summary>All nodes, in unspecified order.</summary>
    public GraphNode[] ListNodes()
    {
        GraphHandle graph = Use();
        nuint count = 0;
        Driver.Check(Functions.cuGraphGetNodes(graph, null, &count), nameof(DriverFunctions.cuGraphGetNodes));
        GraphNode[] nodes = new GraphNode[(int)count];
        if (count == 0) return nodes;
        fixed (GraphNode* start = nodes)
            Driver.Check(Functions.cuGraphGetNodes(graph, start, &count), nameof(DriverFunctions.cuGraphGetNodes));
        return nodes;
    }

    public GraphNodeType ReadType(GraphNode node)
    {
        Enter();
        GraphNodeType type;
        Driver.Check(Functions.cuGraphNodeGetType(node, &type), nameof(DriverFunctions.cuGraphNodeGetType));
        return type;
    }

    /// <summary>Grid, block and dynamic shared memory of a kernel node, without launch attributes.</summary>
    public LaunchGeometry ReadGeometry(GraphNode node)
    {
        Enter();
        KernelNodeParameters parameters;
        Driver.Check(Functions.cuGraphKernelNodeGetParams_v2(node, &parameters), nameof(DriverFunctions.cuGraphKernelNodeGetParams_v2));
        return new LaunchGeometry(
            new Dim3((int)parameters.GridDimX, (int)parameters.GridDimY, (int)parameters.GridDimZ),
            new Dim3((int)parameters.BlockDimX, (int)parameters.BlockDimY, (int)parameters.BlockDimZ),
            (int)parameters.SharedMemBytes);
    }

    /// <summary>Guard for the use of the handle.</summary>
    internal GraphHandle Use()
    {
        Enter();
        return handle;
    }

    private protected override void Release() => Context.NoteRelease(Functions.cuGraphDestroy(handle), nameof(DriverFunctions.cuGraphDestroy));
}

/// <summary>A node of a graph; valid as long as the graph.</summary>
public readonly record struct GraphNode
{
    internal GraphNode(nint value) => Value = value;

    internal nint Value { get; }
}

/// <summary><c>CUgraphNodeType</c>, the members that a capture creates.</summary>
public enum GraphNodeType
{
    Kernel = 0,
    Memcpy = 1,
    Memset = 2,
    Host = 3,
    Graph = 4,
    Empty = 5,
    WaitEvent = 6,
    EventRecord = 7,
}
