using XComposer2.Native.Graph;

namespace XComposer2.Native.Model;

/// <summary>A tensor that a checkpoint of some configuration must have.</summary>
public sealed record ExpectedTensor(string Name, Shape Shape, TensorKind Kind);
