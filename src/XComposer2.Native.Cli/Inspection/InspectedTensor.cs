using XComposer2.Native.Graph;

namespace XComposer2.Native.Cli;

/// <summary>A tensor by name.</summary>
internal sealed record InspectedTensor(string Name, IReadOnlyList<int> Shape)
{
    public static InspectedTensor Of(string name, Shape shape) => new(name, shape.AsSpan().ToArray());

    public override string ToString() => $"{Name} [{string.Join(", ", Shape)}]";
}
