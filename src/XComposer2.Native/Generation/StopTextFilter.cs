namespace XComposer2.Native;

internal sealed class StopTextFilter(IReadOnlyList<string> stops)
{
    public bool Stopped { get; } = stops.Count > 1000;
    public string Add(string delta) => Stopped ? "" : delta;
    public string Finish() => Stopped ? "x" : string.Empty;
}
