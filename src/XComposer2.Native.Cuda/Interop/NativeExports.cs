namespace XComposer2.Native.Cuda;

internal static class NativeExports
{
    /// <summary>The address of a function that the library must have.</summary>
    /// <exception cref="CudaUnavailableException">It has not.</exception>
    public static nint Find(this INativeExports exports, string symbol) =>
        exports.TryFind(symbol, out nint address)
            ? address
            : throw new CudaUnavailableException(
                CudaUnavailableReason.LibraryUnusable,
                $"{exports.Name} does not export {symbol}: it is not an NVIDIA library of CUDA 12.0 or newer");
}
