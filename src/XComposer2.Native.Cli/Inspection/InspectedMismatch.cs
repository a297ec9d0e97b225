namespace XComposer2.Native.Cli;

/// <summary>A tensor of another shape or type than the model needs.</summary>
internal sealed record InspectedMismatch(string Name, string File, IReadOnlyList<int> Expected, IReadOnlyList<int> Found, string FoundType)
{
    public override string ToString() => $"{Name} is {FoundType} [{string.Join(", ", Found)}], wanted is [{string.Join(", ", Expected)}]";
}
