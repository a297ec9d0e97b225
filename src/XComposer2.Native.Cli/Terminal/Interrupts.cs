using System.Runtime.InteropServices;

namespace XComposer2.Native.Cli;

/// <summary>
/// Turns Ctrl-C and termination signals into cancellation. The first Ctrl-C cancels the current answer or, without one, the program. Another
/// Ctrl-C during that cancellation is left to the system, which ends the process.
/// </summary>
internal sealed class Interrupts : IDisposable
{
    private readonly Lock guard = new();
    private readonly CancellationTokenSource program = new();
    private readonly List<PosixSignalRegistration> registrations = [];
    private CancellationTokenSource? answer;

    /// <summary>Cancelled when the program must end.</summary>
    public CancellationToken Program => program.Token;

    /// <summary>128 + the number of the signal that ended the program.</summary>
    public int ExitCode { get; private set; } = Cli.ExitCode.Interrupted;

    /// <summary>Registers the signal handlers of this process.</summary>
    public static Interrupts Listen()
    {
        Interrupts interrupts = new();
        interrupts.Register(PosixSignal.SIGINT, interrupts.Interrupt);
        interrupts.Register(PosixSignal.SIGTERM, () => interrupts.End(143));
        interrupts.Register(PosixSignal.SIGHUP, () => interrupts.End(129));
        return interrupts;
    }

    /// <summary>A token for one answer. Until the scope is disposed, Ctrl-C cancels the answer instead of the program.</summary>
    public AnswerScope BeginAnswer()
    {
        lock (guard)
            return new AnswerScope(this, answer = CancellationTokenSource.CreateLinkedTokenSource(program.Token));
    }

    /// <summary>Handles Ctrl-C.</summary>
    /// <returns>Whether it was handled; false lets the system end the process.</returns>
    public bool Interrupt()
    {
        lock (guard)
        {
            CancellationTokenSource target = answer ?? program;
            if (target.IsCancellationRequested)
                return false;
            // On another thread: continuations of the token must not run under the lock.
            _ = target.CancelAsync();
            return true;
        }
    }

    public void Dispose()
    {
        foreach (PosixSignalRegistration registration in registrations)
            registration.Dispose();
        program.Dispose();
    }

    private bool End(int exitCode)
    {
        lock (guard)
        {
            if (program.IsCancellationRequested)
                return false;
            ExitCode = exitCode;
            _ = program.CancelAsync();
            return true;
        }
    }

    private void Register(PosixSignal signal, Func<bool> handle) =>
        registrations.Add(PosixSignalRegistration.Create(signal, context => context.Cancel = handle()));

    private void EndAnswer(CancellationTokenSource ended)
    {
        lock (guard)
            answer = null;
        ended.Dispose();
    }

    /// <summary>The duration of one answer.</summary>
    public readonly struct AnswerScope(Interrupts owner, CancellationTokenSource source) : IDisposable
    {
        public CancellationToken Token => source.Token;

        public void Dispose() => owner.EndAnswer(source);
    }
}
