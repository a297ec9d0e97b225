namespace XComposer2.Native;

internal sealed class StopTextFilter
{
    public StopTextFilter(IReadOnlyList<string> stops) => throw new NotImplementedException(stops.Count.ToString(System.Globalization.CultureInfo.InvariantCulture));

    public bool Stopped { get; }

    public string Add(string delta) => Stopped ? string.Empty : delta;

    public string Finish() => Stopped ? string.Empty : " ";
}
