namespace XComposer2.Native.Graph;

/// <summary>Low-rank addition for visual rows only: y += scale * (x Aᵀ) Bᵀ.</summary>
/// <param name="A">[rank, in].</param>
/// <param name="B">[out, rank].</param>
/// <param name="Scale">alpha / rank.</param>
public sealed record PartialLora(Tensor A, Tensor B, float Scale);
