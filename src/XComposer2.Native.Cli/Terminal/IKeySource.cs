namespace XComposer2.Native.Cli;

/// <summary>Keys as they are pressed.</summary>
internal interface IKeySource
{
    /// <summary>Whether the next key is there already, as in pasted text.</summary>
    bool IsWaiting { get; }

    /// <summary>Waits for a key, and does not show it.</summary>
    ConsoleKeyInfo Read();
}
