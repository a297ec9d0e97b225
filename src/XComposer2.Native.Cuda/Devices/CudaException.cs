namespace XComposer2.Native.Cuda;

/// <summary>A driver call that failed: the message names the call, the code and what the call was about.</summary>
public sealed class CudaException : Exception
{
    internal CudaException(string call, CudaResult result, string message)
        : base(message)
    {
        Call = call;
        Result = result;
    }

    /// <summary>The entry point, as exported: <c>cuMemAlloc_v2</c>.</summary>
    public string Call { get; }

    public CudaResult Result { get; }
}
