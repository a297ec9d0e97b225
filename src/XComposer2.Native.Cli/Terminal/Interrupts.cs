using System.Runtime.InteropServices;

namespace XComposer2.Native.Cli;

/// <summary>
/// Turns Ctrl-C and termination signals into cancellation. The first Ctrl-C cancels the current answer, warns at an idle prompt, or else cancels the
/// program, as the second one at a prompt does. Another Ctrl-C during that cancellation is left to the system, which ends the process.
/// </summary>
internal sealed class Interrupts : IDisposable
{
    private static readonly TimeSpan grace = TimeSpan.FromSeconds(1);

    private readonly Lock guard = new();
    private readonly CancellationTokenSource program = new();
    private readonly List<PosixSignalRegistration> registrations = [];
    private CancellationTokenSource? answer;
    private Action? warning;
    private int unfinished;

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

    /// <summary>Until the result is disposed, the first Ctrl-C outside of an answer only warns. Calling it again makes the next Ctrl-C a first one.</summary>
    public PromptScope BeginPrompt(Action warn)
    {
        Interlocked.Exchange(ref warning, warn);
        return new PromptScope(this);
    }

    /// <summary>Until the result is disposed, the program is not abandoned after a signal: it has something to save.</summary>
    public SaveScope BeginSaving()
    {
        Interlocked.Increment(ref unfinished);
        return new SaveScope(this);
    }

    /// <summary>Completes one second after the program was cancelled, as soon as nothing has to be saved: the command can then be abandoned.</summary>
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

    /// <summary>Handles Ctrl-C.</summary>
    /// <returns>Whether it was handled; false lets the system end the process.</returns>
    public bool Interrupt()
    {
        if (Volatile.Read(ref answer) is null && Interlocked.Exchange(ref warning, null) is { } warn)
        {
            warn();
            return true;
        }

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

    /// <summary>The time in which a prompt waits for input, or will.</summary>
    public readonly struct PromptScope(Interrupts owner) : IDisposable
    {
        public void Dispose() => Interlocked.Exchange(ref owner.warning, null);
    }

    /// <summary>The time in which something is made or written that a signal must not cost.</summary>
    public readonly struct SaveScope(Interrupts owner) : IDisposable
    {
        public void Dispose() => Interlocked.Decrement(ref owner.unfinished);
    }
}
