namespace XComposer2.Native.Graph;

/// <summary>A graph that cannot be: the message names the graph, the operation, the tensor, what was expected and what was found.</summary>
public sealed class GraphException : Exception
{
    public GraphException()
    {
    }

    public GraphException(string message)
        : base(message)
    {
    }

    public GraphException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
