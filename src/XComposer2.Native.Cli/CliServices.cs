namespace XComposer2.Native.Cli;

/// <summary>What commands work with.</summary>
/// <param name="Console">The standard streams.</param>
/// <param name="Interrupts">Ctrl-C.</param>
/// <param name="ConnectChat">Loads a model and opens a conversation.</param>
internal sealed record CliServices(CliConsole Console, Interrupts Interrupts, ChatConnector ConnectChat)
{
    /// <summary>Loads a model and makes a composer of it.</summary>
    public ComposerConnector ConnectComposer { get; init; } = ComposerConnection.ConnectAsync;

    /// <summary>Reads an environment variable; null where it is not set.</summary>
    public Func<string, string?> Variable { get; init; } = Environment.GetEnvironmentVariable;
}
