using XComposer2.Native.Graph;

namespace XComposer2.Native.Kernels;

/// <summary>Which caches of keys and values the kernels read. The one place that knows.</summary>
public static class DeviceCaches
{
    /// <summary>Whether there are kernels for a cache beside activations of this type: the same type, or int8, which becomes 16-bit numbers in registers.</summary>
    /// <param name="format">Of the cache.</param>
    /// <param name="storage">Of weights and activations.</param>
    public static bool Has(CacheFormat format, DType storage) => format == CacheFormat.Of(storage) || (format == CacheFormat.Int8 && storage is DType.F16 or DType.BF16);
}
