namespace XComposer2.Native.Cli;

/// <summary>The keyboard of this process's terminal.</summary>
internal sealed class Keyboard : IKeySource
{
    public bool IsWaiting => Console.KeyAvailable;

    public ConsoleKeyInfo Read() => Console.ReadKey(intercept: true);
}
