namespace XComposer2.Native.Cuda;

/// <summary><c>CUstreamCaptureStatus</c>.</summary>
internal enum CaptureStatus
{
    None = 0,
    Active = 1,
    Invalidated = 2,
}
