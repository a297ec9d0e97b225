namespace XComposer2.Native.KernelBench;

/// <summary>What an operand holds before the kernel runs. Random numbers, because a card that multiplies zeros draws less power and is faster.</summary>
public enum OperandContent : byte
{
    /// <summary>Nothing: the kernel writes it.</summary>
    Result,

    /// <summary>Zeros: counters.</summary>
    Zeros,

    /// <summary>Bytes of its own: lengths, page tables, ids.</summary>
    Given,

    /// <summary>F32, evenly spread over -1 to 1.</summary>
    F32,

    /// <summary>The same as F16.</summary>
    F16,

    /// <summary>The same as BF16.</summary>
    BF16,

    /// <summary>Integers of -127 to 127.</summary>
    Int8,

    /// <summary>F32 around 1/200: what 8-bit integers are multiplied by.</summary>
    Scales,
}
