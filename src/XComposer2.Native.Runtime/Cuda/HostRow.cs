using XComposer2.Native.Graph;

namespace XComposer2.Native.Runtime;

/// <summary>One row of a weight in host memory.</summary>
internal readonly record struct HostRow(HostTensor Tensor, int Row);
