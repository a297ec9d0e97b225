namespace XComposer2.Native.Cli;

/// <summary>The command line asks for what no command does; the message is for the person who typed it.</summary>
internal sealed class UsageException(string message) : Exception(message);
