using System.Runtime.InteropServices;

namespace XComposer2.Native.Cli;

/// <summary>
/// Ctrl-C and the signals that end a process, as cancellation. The first Ctrl-C cancels the answer in progress, or the program where none is;
/// a further one while that cancellation is on its way is left to the system, which ends the process.
/// </summary>
internal sealed class Interrupts : IDisposable
{
    private static readonly TimeSpan grace = TimeSpan.FromSeconds(1);

    private readonly Lock guard = new();
    private readonly CancellationTokenSource program = new();
    private readonly List<PosixSignalRegistration> registrations = [];
    private CancellationTokenSource? answer;
    private int unfinished;

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

    /// <summary>Until the result is disposed, the program ends by itself after a signal, however long that takes: what it holds is to be saved.</summary>
    public SaveScope BeginSaving()
    {
        Interlocked.Increment(ref unfinished);
        return new SaveScope(this);
    }

    /// <summary>Completes when the program was to end, had a second for it, and holds nothing that is to be saved: whoever waits need not wait any longer.</summary>
    public async Task WaitUntilOverdueAsync()
    {
        TaskCompletionSource cancelled = new(TaskCreationOptions.RunContinuationsAsynchronously);
        using CancellationTokenRegistration registration = program.Token.Register(cancelled.SetResult);
        await cancelled.Task.ConfigureAwait(false);
        do
        {
            await Task.Delay(grace).ConfigureAwait(false);
        }
        while (Volatile.Read(ref unfinished) > 0);
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

    /// <summary>The time in which something is made or written that a signal must not cost.</summary>
    public readonly struct SaveScope(Interrupts owner) : IDisposable
    {
        public void Dispose() => Interlocked.Decrement(ref owner.unfinished);
    }
}
