using XComposer2.Native.Graph;

namespace XComposer2.Native.Model;

/// <summary>A dense view of a storage, checked to lie inside of it.</summary>
internal sealed record PickledTensor(PickledStorage Storage, long OffsetElements, long Elements, Shape Shape);
