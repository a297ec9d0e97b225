namespace XComposer2.Native.Cpu;

/// <summary>Vector width a kernel runs at. Widths the processor lacks still give right results, slowly.</summary>
public enum VectorWidth
{
    /// <summary>The widest that the processor has and the sizes allow.</summary>
    Best = 0,
    Bits128 = 128,
    Bits256 = 256,
    Bits512 = 512,
}
