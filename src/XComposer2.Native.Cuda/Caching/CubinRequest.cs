namespace XComposer2.Native.Cuda;

/// <summary>One kernel in one specialisation.</summary>
/// <param name="Source">The <c>.cu</c> file, from the root of the kernels.</param>
/// <param name="Target">What to compile for.</param>
/// <param name="Options">In order, without the target's.</param>
public sealed record CubinRequest(string Source, CudaTarget Target, IReadOnlyList<string> Options);
