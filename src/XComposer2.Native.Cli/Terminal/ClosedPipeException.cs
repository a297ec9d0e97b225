namespace XComposer2.Native.Cli;

/// <summary>The reader of standard output has gone: nothing is left to do, and nobody to tell.</summary>
internal sealed class ClosedPipeException() : IOException("standard output was closed by its reader");
