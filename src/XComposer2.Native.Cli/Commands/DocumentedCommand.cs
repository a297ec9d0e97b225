using System.CommandLine;

namespace XComposer2.Native.Cli;

/// <summary>A command with a help page written by hand.</summary>
/// <param name="name">As typed.</param>
/// <param name="helpPage">At most 80 columns; its first line is the usage line.</param>
internal sealed class DocumentedCommand(string name, string helpPage) : Command(name)
{
    public string HelpPage => helpPage;
}
