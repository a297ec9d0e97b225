namespace XComposer2.Native.Cuda;

/// <summary>A compilation that failed, or another NVRTC call: the message names call, code, file, target and options, and ends with the log.</summary>
public sealed class NvrtcException : Exception
{
    internal NvrtcException(NvrtcResult result, string message, string log)
        : base(log.Length == 0 ? message : $"{message}\n{log}")
    {
        Result = result;
        Log = log;
    }

    public NvrtcResult Result { get; }

    /// <summary>What the compiler printed; empty where it printed nothing.</summary>
    public string Log { get; }
}
