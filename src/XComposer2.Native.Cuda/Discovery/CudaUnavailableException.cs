namespace XComposer2.Native.Cuda;

/// <summary>CUDA, or its compiler, cannot be used here. The message says what was looked for, where, and what to do about it.</summary>
public sealed class CudaUnavailableException : Exception
{
    public CudaUnavailableException(CudaUnavailableReason reason, string message, Exception? inner = null)
        : base(message, inner) => Reason = reason;

    public CudaUnavailableReason Reason { get; }
}
