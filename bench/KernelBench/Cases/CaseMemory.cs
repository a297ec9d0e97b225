using System.Runtime.InteropServices;
using XComposer2.Native.Kernels;

namespace XComposer2.Native.KernelBench;

/// <summary>Lays the operands of a case out, one behind the other. Each method gives the operand's offset in bytes from the start, aligned as fresh
/// device memory is.</summary>
internal sealed class CaseMemory
{
    private const long AlignmentBytes = 256;

    private readonly List<Operand> operands = [];

    public IReadOnlyList<Operand> Operands => operands;

    public long TotalBytes { get; private set; }

    /// <summary>Random floating numbers.</summary>
    public long Values(KernelStorage storage, long count) => Add(count * storage.ElementBytes(), storage switch
    {
        KernelStorage.F32 => OperandContent.F32,
        KernelStorage.F16 => OperandContent.F16,
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
