using System.Runtime.InteropServices;
using XComposer2.Native.Graph;

namespace XComposer2.Native.Kernels;

/// <summary>Lays the operands of a case out, one behind the other. Each method gives the operand's offset in bytes from the start, aligned as fresh
/// device memory is.</summary>
internal sealed class CaseMemory
{
    private const long AlignmentBytes = 256;

    private readonly List<Operand> operands = [];

    public IReadOnlyList<Operand> Operands => operands;

    public long TotalBytes { get; private set; }

    /// <summary>Random floating numbers.</summary>
    public long Values(DType storage, long count) => Add(count * storage.ElementBytes(), storage switch
    {
        DType.F32 => OperandContent.F32,
        DType.F16 => OperandContent.F16,
        _ => OperandContent.BF16,
    });

    /// <summary>Random 8-bit integers.</summary>
    public long Integers(long count) => Add(count, OperandContent.Int8);

    /// <summary>F32 scales of 8-bit integers.</summary>
    public long Scales(long count) => Add(count * sizeof(float), OperandContent.Scales);

    public long Zeros(long lengthBytes) => Add(lengthBytes, OperandContent.Zeros);

    /// <summary>What the kernel writes.</summary>
    public long Result(long lengthBytes) => Add(lengthBytes, OperandContent.Result);

    /// <summary>A copy of the values.</summary>
    public long Given<T>(ReadOnlySpan<T> values)
        where T : unmanaged
    {
        byte[] bytes = MemoryMarshal.AsBytes(values).ToArray();
        return Add(bytes.Length, OperandContent.Given, bytes);
    }

    private long Add(long lengthBytes, OperandContent content, byte[]? given = null)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(lengthBytes, 1);
        long offsetBytes = TotalBytes;
        operands.Add(new Operand(offsetBytes, lengthBytes, content, given));
        TotalBytes = checked(offsetBytes + lengthBytes + AlignmentBytes - 1) / AlignmentBytes * AlignmentBytes;
        return offsetBytes;
    }
}

/// <summary>A part of a case's device memory.</summary>
/// <param name="OffsetBytes">From the start of the case's memory.</param>
/// <param name="LengthBytes">At least 1.</param>
/// <param name="Content">What it holds before the first launch.</param>
/// <param name="Given">As long as the operand where it has bytes of its own; else empty.</param>
public sealed record Operand(long OffsetBytes, long LengthBytes, OperandContent Content, ReadOnlyMemory<byte> Given);

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
