namespace XComposer2.Native.Graph;

/// <summary>Handle of a tensor within one <see cref="ComputeGraph"/>: an index into <see cref="ComputeGraph.Tensors"/>.</summary>
public readonly record struct Tensor(int Index);
