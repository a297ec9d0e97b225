namespace XComposer2.Native.Cli;

/// <summary>What <c>xc2</c> tells the shell.</summary>
internal static class ExitCode
{
    public const int Done = 0;
    public const int Failed = 1;
    public const int Usage = 2;

    /// <summary>128 + SIGINT.</summary>
    public const int Interrupted = 130;

    /// <summary>128 + SIGPIPE: whoever read the answer has gone.</summary>
    public const int ClosedPipe = 141;
}
