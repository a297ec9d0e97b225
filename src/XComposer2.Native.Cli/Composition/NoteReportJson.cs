namespace XComposer2.Native.Cli;

/// <summary>A note in a report.</summary>
internal sealed record NoteReportJson(string Step, string Cause, string Text);
