namespace XComposer2.Native.Model;

/// <summary>Partial LoRA of one linear.</summary>
/// <param name="Rank">Rows of A. 0: the linear has none.</param>
/// <param name="Scale">alpha / rank.</param>
public readonly record struct PloraConfig(int Rank, float Scale);
