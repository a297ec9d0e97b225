using XComposer2.Native.Graph;

namespace XComposer2.Native.Model;

/// <summary>A tensor of another shape or of an unusable element type.</summary>
public sealed record ShapeMismatch(string Name, string File, Shape Expected, Shape Found, string FoundType);
