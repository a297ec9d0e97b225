using XComposer2.Native.Graph;

namespace XComposer2.Native.UnitTests;

/// <summary>Counts how many bytes of its source are in use: asked for and not released. Takes ownership of the source.</summary>
public sealed class CountedWeights(IWeightSource source) : IWeightSource
{
    private readonly Dictionary<string, long> inUse = [];
    private readonly Lock counting = new();

    /// <summary>Names that are in use.</summary>
    public string[] InUse
    {
        get
        {
            lock (counting)
                return [.. inUse.Keys];
        }
    }

    /// <summary>How often bytes were asked for, by name.</summary>
    public Dictionary<string, int> Asked { get; } = [];

    public long BytesInUse { get; private set; }

    public long MostBytesInUse { get; private set; }

    public bool IsDisposed { get; private set; }

    public bool TryGet(string name, out HostTensor tensor)
    {
        if (!source.TryGet(name, out tensor))
            return false;
        lock (counting)
        {
            Asked[name] = Asked.GetValueOrDefault(name) + 1;
            if (inUse.TryAdd(name, tensor.Bytes))
                BytesInUse += tensor.Bytes;
            MostBytesInUse = Math.Max(MostBytesInUse, BytesInUse);
            return true;
        }
    }

    public bool TryDescribe(string name, out HostTensor facts) => source.TryDescribe(name, out facts);

    public bool TryGetFormat(string name, out WeightFormat format) => source.TryGetFormat(name, out format);

    public void Release(string name)
    {
        source.Release(name);
        lock (counting)
        {
            if (inUse.Remove(name, out long bytes))
                BytesInUse -= bytes;
        }
    }

    public void Dispose()
    {
        IsDisposed = true;
        source.Dispose();
    }
}
