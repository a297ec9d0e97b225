using XComposer2.Native.Cuda;

namespace XComposer2.Native.Runtime;

/// <summary>One layer's part of the cache.</summary>
/// <param name="Start">In physical page 0.</param>
/// <param name="PageBytes">From one page to the next.</param>
/// <param name="PageCount">Pages that there are.</param>
internal readonly record struct CudaCacheLayer(DevicePointer Start, long PageBytes, int PageCount);
