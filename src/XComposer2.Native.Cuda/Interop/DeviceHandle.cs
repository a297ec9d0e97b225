namespace XComposer2.Native.Cuda;

/// <summary>A <c>CUdevice</c>.</summary>
internal readonly record struct DeviceHandle(int Value);
