using System.Collections.Immutable;

namespace XComposer2.Native.Graph;

/// <summary>What a model will take, item by item, known before anything is allocated.</summary>
public sealed record MemoryBudget(ImmutableArray<MemoryItem> Items)
{
    /// <exception cref="OverflowException">Beyond 63 bits.</exception>
    public long TotalBytes
    {
        get
        {
            long total = 0;
            foreach (MemoryItem item in Items)
                total = checked(total + item.Bytes);
            return total;
        }
    }

    /// <summary>What is left of a memory of this size; negative where it is too small.</summary>
    public long RemainingBytes(long availableBytes) => checked(availableBytes - TotalBytes);
}
