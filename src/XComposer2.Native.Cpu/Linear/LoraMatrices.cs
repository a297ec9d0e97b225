namespace XComposer2.Native.Cpu;

/// <summary>Partial LoRA of one linear: y += scale * (x Aᵀ) Bᵀ on visual rows. Does not own its bytes.</summary>
/// <param name="A">[rank, in].</param>
/// <param name="B">[out, rank].</param>
/// <param name="Scale">alpha / rank.</param>
public readonly record struct LoraMatrices(FloatMatrix A, FloatMatrix B, float Scale);
