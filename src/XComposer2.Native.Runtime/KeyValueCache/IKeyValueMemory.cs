namespace XComposer2.Native.Runtime;

/// <summary>Device memory of a cache's pages. Knows nothing of who owns which.</summary>
public interface IKeyValueMemory : IDisposable
{
    KeyValueLayout Layout { get; }

    int PageCount { get; }

    /// <summary>Copies the contents of one page to another.</summary>
    void Copy(int source, int destination);
}
