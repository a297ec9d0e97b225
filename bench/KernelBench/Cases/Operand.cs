namespace XComposer2.Native.KernelBench;

/// <summary>A part of a case's device memory.</summary>
/// <param name="OffsetBytes">From the start of the case's memory.</param>
/// <param name="LengthBytes">At least 1.</param>
/// <param name="Content">What it holds before the first launch.</param>
/// <param name="Given">As long as the operand where it has bytes of its own; else empty.</param>
public sealed record Operand(long OffsetBytes, long LengthBytes, OperandContent Content, ReadOnlyMemory<byte> Given);
