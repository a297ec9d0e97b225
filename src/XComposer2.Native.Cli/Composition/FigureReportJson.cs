namespace XComposer2.Native.Cli;

/// <summary>A figure in a report; candidates count from 1.</summary>
internal sealed record FigureReportJson(string Caption, string File, string Name, string Source, int Candidate, int Candidates);
