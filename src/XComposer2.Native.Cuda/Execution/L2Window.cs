namespace XComposer2.Native.Cuda;

/// <summary>Which accesses of a launch stay in the L2 cache.</summary>
/// <param name="Span">At most <see cref="CudaDevice.AccessPolicyWindowBytes"/> long.</param>
/// <param name="HitRatio">The part of the accesses inside of the span that persist, 0 to 1; all others stream.</param>
public readonly record struct L2Window(DeviceSpan Span, float HitRatio);
