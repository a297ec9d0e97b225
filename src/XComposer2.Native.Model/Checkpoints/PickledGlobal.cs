namespace XComposer2.Native.Model;

/// <summary>The few names that a pickle of weights may refer to. Nothing of theirs is executed: they select what this reader does.</summary>
internal sealed record PickledGlobal(PickledGlobalKind Kind, StoredType Type);
