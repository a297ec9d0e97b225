namespace XComposer2.Native.Cuda;

/// <summary>A kernel file that is missing or includes what it must not: the message names file and line.</summary>
public sealed class KernelSourceException : Exception
{
    internal KernelSourceException(string message)
        : base(message)
    {
    }
}
