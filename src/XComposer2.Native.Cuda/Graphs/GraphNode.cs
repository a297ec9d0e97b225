namespace XComposer2.Native.Cuda;

/// <summary>A step of a graph; means something as long as the graph lives.</summary>
public readonly record struct GraphNode
{
    internal GraphNode(nint value) => Value = value;

    internal nint Value { get; }
}
