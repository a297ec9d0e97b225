namespace XComposer2.Native.Model;

/// <summary>A storage that a pickle refers to: zip entry <c>data/KEY</c>.</summary>
internal sealed record PickledStorage(StoredType Type, string Key, long Elements);
