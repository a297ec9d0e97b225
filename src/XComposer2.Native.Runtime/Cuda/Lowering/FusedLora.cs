using XComposer2.Native.Graph;

namespace XComposer2.Native.Runtime;

/// <summary>The upper half of Partial LoRA, added by the linear itself.</summary>
/// <param name="Down">T of <see cref="LoraDownOp"/> [rows, rank], or [rows, 2 rank] for gate and up.</param>
/// <param name="B">[out, rank], rows in the weight's order.</param>
/// <param name="Rank">Columns of B.</param>
/// <param name="VisualRow">[rows], negative for text.</param>
internal sealed record FusedLora(Tensor Down, CudaWeight B, int Rank, Tensor VisualRow);
