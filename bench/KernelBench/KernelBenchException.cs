namespace XComposer2.Native.KernelBench;

/// <summary>A case could not be measured. The message names it.</summary>
public sealed class KernelBenchException(string message, Exception? cause = null) : Exception(message, cause);
