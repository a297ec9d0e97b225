namespace XComposer2.Native.Cpu;

/// <summary>One weight with its Partial LoRA: a gated linear has two.</summary>
/// <param name="Weight">[outputs, inputs].</param>
/// <param name="Lora">Null for none.</param>
internal readonly record struct LinearBranch(FloatMatrix Weight, LoraMatrices? Lora)
{
    public int Rank => Lora?.A.Rows ?? 0;
}
