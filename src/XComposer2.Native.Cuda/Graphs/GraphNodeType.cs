namespace XComposer2.Native.Cuda;

/// <summary><c>CUgraphNodeType</c>, as far as a capture makes them.</summary>
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
