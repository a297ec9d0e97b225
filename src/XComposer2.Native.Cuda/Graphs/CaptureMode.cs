namespace XComposer2.Native.Cuda;

/// <summary><c>CUstreamCaptureMode</c>: which unsafe calls spoil a capture.</summary>
public enum CaptureMode
{
    /// <summary>Those of any thread.</summary>
    Global = 0,
    /// <summary>Those of the capturing thread.</summary>
    ThreadLocal = 1,
    /// <summary>None.</summary>
    Relaxed = 2,
}
