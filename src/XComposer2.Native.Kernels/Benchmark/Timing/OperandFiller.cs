using System.Runtime.InteropServices;
using XComposer2.Native.Cuda;

namespace XComposer2.Native.Kernels;

/// <summary>Puts into operands what they are to hold. Random numbers are made once for each type, and repeat after some megabytes.</summary>
internal sealed class OperandFiller(CudaContext context, CudaStream stream) : IDisposable
{
    private const int PatternElements = 1 << 20;

    private readonly Dictionary<OperandContent, DeviceMemory> patterns = [];

    /// <summary>Queues it, and waits where bytes come from the host.</summary>
    public void Fill(DeviceSpan memory, Operand operand)
    {
        DeviceSpan destination = memory.Slice(operand.OffsetBytes, operand.LengthBytes);
        switch (operand.Content)
        {
            case OperandContent.Result:
                break;
            case OperandContent.Zeros:
                stream.Fill(destination, 0);
                break;
            case OperandContent.Given:
                stream.CopyToDevice(destination, operand.Given.Span);
                break;
            default:
                Repeat(destination, Pattern(operand.Content));
                break;
        }
    }

    public void Dispose()
    {
        foreach (DeviceMemory pattern in patterns.Values)
            pattern.Dispose();
    }

    private void Repeat(DeviceSpan destination, DeviceSpan pattern)
    {
        for (long offset = 0; offset < destination.LengthBytes; offset += pattern.LengthBytes)
        {
            long lengthBytes = Math.Min(pattern.LengthBytes, destination.LengthBytes - offset);
            stream.Copy(destination.Slice(offset, lengthBytes), pattern.Slice(0, lengthBytes));
        }
    }

    private DeviceSpan Pattern(OperandContent content)
    {
        if (!patterns.TryGetValue(content, out DeviceMemory? pattern))
        {
            byte[] bytes = Random(content);
            pattern = DeviceMemory.Allocate(context, bytes.Length);
            patterns.Add(content, pattern);
            stream.CopyToDevice<byte>(pattern.Span, bytes);
        }

        return pattern.Span;
    }

    // The same numbers in every run.
    private static byte[] Random(OperandContent content)
    {
        Random random = new(20);
        return content switch
        {
            OperandContent.F32 => Many(() => Spread(random)),
            OperandContent.F16 => Many(() => (Half)Spread(random)),
            OperandContent.BF16 => Many(() => (ushort)(BitConverter.SingleToUInt32Bits(Spread(random)) >> 16)),
            OperandContent.Int8 => Many(() => (sbyte)random.Next(-127, 128)),
            OperandContent.Scales => Many(() => (1 + random.NextSingle()) / 256),
            _ => throw new ArgumentOutOfRangeException(nameof(content), content, "expected random content"),
        };
    }

    private static float Spread(Random random) => (2 * random.NextSingle()) - 1;

    private static byte[] Many<T>(Func<T> next)
        where T : unmanaged
    {
        T[] values = new T[PatternElements];
        foreach (ref T value in values.AsSpan())
            value = next();
        return MemoryMarshal.AsBytes(values.AsSpan()).ToArray();
    }
}
