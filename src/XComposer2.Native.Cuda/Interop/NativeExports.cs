using System.Runtime.InteropServices;

namespace XComposer2.Native.Cuda;

/// <summary>A library's exported functions.</summary>
internal interface INativeExports
{
    /// <summary>The library's path or loader name, for messages.</summary>
    string Name { get; }

    bool TryFind(string symbol, out nint address);
}

internal static class NativeExports
{
    /// <summary>The address of a required function.</summary>
    /// <exception cref="CudaUnavailableException">The library does not export it.</exception>
    public static nint Find(this INativeExports exports, string symbol) =>
        exports.TryFind(symbol, out nint address)
            ? address
            : throw new CudaUnavailableException(
                CudaUnavailableReason.LibraryUnusable,
                $"{exports.Name} does not export {symbol}: it is not an NVIDIA library of CUDA 12.0 or newer");
}

/// <summary>A loaded library. It is never unloaded: drivers leave threads running whose code would be unmapped.</summary>
internal sealed class LoadedLibrary(string name, nint handle) : INativeExports
{
    public string Name => name;

    public bool TryFind(string symbol, out nint address) => NativeLibrary.TryGetExport(handle, symbol, out address);
}
