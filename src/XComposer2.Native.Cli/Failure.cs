using XComposer2.Native.Composition;
using XComposer2.Native.Composition.Pictures;
using XComposer2.Native.Cuda;
using XComposer2.Native.Graph;
using XComposer2.Native.Kernels;
using XComposer2.Native.Model;

namespace XComposer2.Native.Cli;

/// <summary>What a failure is to the person at the terminal.</summary>
internal static class Failure
{
    /// <summary>Tells standard error, and gives the exit code.</summary>
    public static int Report(Exception error, CliServices services, bool verbose)
    {
        Exception cause = Unwrap(error);
        if (cause is ClosedPipeException)
            return ExitCode.ClosedPipe;
        if (cause is OperationCanceledException && services.Interrupts.Program.IsCancellationRequested)
            return services.Interrupts.ExitCode;
        services.Console.Complain(Describe(cause));
        if (verbose)
            services.Console.Hint(Trace(error));
        return ExitCode.Failed;
    }

    /// <summary>An indented stack trace, so that a line break in a name cannot imitate a line of the program.</summary>
    public static string Trace(Exception error) => "  " + error.ToString().ReplaceLineEndings("\n  ");

    /// <summary>One sentence; what no one expected says so.</summary>
    public static string Describe(Exception error) => Unwrap(error) switch
    {
        ContextFullException full => $"{full.Message}; a longer --context or a shorter prompt is needed",
        XComposerException or GraphException => Unwrap(error).Message,
        CudaUnavailableException or CudaException or NvrtcException or KernelSourceException or KernelBenchException => Unwrap(error).Message,
        OutOfMemoryException memory => $"not enough memory: {memory.Message}",
        IOException or UnauthorizedAccessException => Unwrap(error).Message,
        OperationCanceledException => "stopped",
        Exception other => $"unexpected {other.GetType().Name}: {other.Message} (--verbose shows where)",
    };

    private static Exception Unwrap(Exception error) => error switch
    {
        AggregateException { InnerExceptions: [Exception only] } => Unwrap(only),
        TypeInitializationException { InnerException: { } inner } => Unwrap(inner),
        _ => error,
    };
}

/// <summary>The command line asks for what no command does; the message is for the person who typed it.</summary>
internal sealed class UsageException(string message) : Exception(message);

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

/// <summary>The reader of standard output has gone: nothing is left to do, and nobody to tell.</summary>
internal sealed class ClosedPipeException() : IOException("standard output was closed by its reader");
