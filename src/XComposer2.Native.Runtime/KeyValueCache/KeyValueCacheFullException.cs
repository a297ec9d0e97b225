namespace XComposer2.Native.Runtime;

/// <summary>The cache has too few free pages for what was asked; nothing has changed.</summary>
public sealed class KeyValueCacheFullException : Exception
{
    public KeyValueCacheFullException(int wanted, int free, int pages)
        : base($"the key/value cache has {free} of its {pages} pages free, {wanted} are wanted")
    {
        Wanted = wanted;
        Free = free;
    }

    public int Wanted { get; }

    public int Free { get; }
}
