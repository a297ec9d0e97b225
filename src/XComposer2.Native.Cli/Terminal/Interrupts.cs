using System.Runtime.InteropServices;

namespace XComposer2.Native.Cli;

/// <summary>
/// Ctrl-C and the signals that end a process, as cancellation. The first Ctrl-C cancels the answer in progress, or the program where none is;
/// a further one while that cancellation is on its way is left to the system, which ends the process.
/// </summary>
internal sealed class Interrupts : IDisposable
{
    private readonly Lock guard = new();
    private readonly CancellationTokenSource program = new();
    private readonly List<PosixSignalRegistration> registrations = [];
    private CancellationTokenSource? answer;

    /// <summary>Cancelled when the program is to end.</summary>
    public CancellationToken Program => program.Token;

    /// <summary>128 + the signal that ended the program.</summary>
    public int ExitCode { get; private set; } = Cli.ExitCode.Interrupted;

    /// <summary>Listens to the signals of this process.</summary>
    public static Interrupts Listen()
    {
        Interrupts interrupts = new();
        interrupts.Register(PosixSignal.SIGINT, interrupts.Interrupt);
        interrupts.Register(PosixSignal.SIGTERM, () => interrupts.End(143));
        interrupts.Register(PosixSignal.SIGHUP, () => interrupts.End(129));
        return interrupts;
    }

    /// <summary>A token for one answer: until the result is disposed, Ctrl-C cancels the answer instead of the program.</summary>
    public AnswerScope BeginAnswer()
    {
        lock (guard)
            return new AnswerScope(this, answer = CancellationTokenSource.CreateLinkedTokenSource(program.Token));
    }

    /// <summary>What Ctrl-C does.</summary>
    /// <returns>Whether it was taken; false asks the system to end the process.</returns>
    public bool Interrupt()
    {
        lock (guard)
        {
            CancellationTokenSource target = answer ?? program;
            if (target.IsCancellationRequested)
                return false;
            // On another thread: what the token wakes must not run under the lock.
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

    /// <summary>The time of one answer.</summary>
    public readonly struct AnswerScope(Interrupts owner, CancellationTokenSource source) : IDisposable
    {
        public CancellationToken Token => source.Token;

        public void Dispose() => owner.EndAnswer(source);
    }
}
