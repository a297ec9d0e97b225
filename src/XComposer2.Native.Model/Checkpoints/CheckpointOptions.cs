namespace XComposer2.Native.Model;

/// <summary>How a checkpoint is opened.</summary>
public sealed record CheckpointOptions
{
    /// <summary>GPTQ weights are dequantised to F32, which is exact, while all of them together stay within this; beyond, to F16.</summary>
    public long ExactGptqLimitBytes { get; init; } = 4L << 30;
}
