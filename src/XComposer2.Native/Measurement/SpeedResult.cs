namespace XComposer2.Native;

/// <summary>A finished measurement.</summary>
/// <param name="Model">What was measured, in words.</param>
/// <param name="Device">What it ran on.</param>
/// <param name="WeightBytes">Bytes of all weights.</param>
/// <param name="DecodeWeightBytes">Bytes of weights that a decode step reads: layers without Partial LoRA, norm and head.</param>
/// <param name="Series">Vision where there are pictures, prefill, decode where there are steps.</param>
public sealed record SpeedResult(string Model, string Device, long WeightBytes, long DecodeWeightBytes, IReadOnlyList<SpeedSeries> Series);
