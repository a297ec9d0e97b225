using System.Runtime.InteropServices;
using XComposer2.Native.Graph;

namespace XComposer2.Native.Model;

/// <summary>Writes a safetensors file that appears whole or not at all.</summary>
public static unsafe class SafetensorsWriter
{
    private const int PieceBytes = 16 << 20;

    /// <param name="path">Of the file, which is replaced.</param>
    /// <param name="tensors">Name, type and shape of each, in the order of the file.</param>
    /// <param name="bytesOf">The bytes of a tensor, asked for in this order, once each.</param>
    /// <exception cref="IOException">The file cannot be written.</exception>
    /// <exception cref="ArgumentException">A tensor has other bytes than its type and shape say.</exception>
    public static void Write(string path, IReadOnlyList<HostTensorName> tensors, Func<HostTensorName, ReadOnlyMemory<byte>> bytesOf)
    {
        ArgumentNullException.ThrowIfNull(tensors);
        ArgumentNullException.ThrowIfNull(bytesOf);
        byte[] header = WrittenFolder.Header(tensors.Select(tensor => (tensor.Name, tensor.Type, tensor.Shape)));
        WrittenFolder.Publish(path, stream =>
        {
            stream.Write(header);
            foreach (HostTensorName tensor in tensors)
            {
                ReadOnlyMemory<byte> bytes = bytesOf(tensor);
                if (bytes.Length != tensor.Type.Bytes(tensor.Shape.ElementCount))
                    throw new ArgumentException($"tensor '{tensor.Name}': expected {tensor.Type.Bytes(tensor.Shape.ElementCount)} bytes, found {bytes.Length}", nameof(bytesOf));
                for (int start = 0; start < bytes.Length; start += PieceBytes)
                    stream.Write(bytes.Span.Slice(start, Math.Min(PieceBytes, bytes.Length - start)));
            }
        });
    }

    /// <summary>Values as the bytes of a floating type, rounded to it.</summary>
    /// <param name="values">In F32.</param>
    /// <param name="type">F32, F16 or BF16.</param>
    /// <exception cref="ArgumentException">The type is not a floating one.</exception>
    public static byte[] BytesOf(ReadOnlySpan<float> values, DType type)
    {
        byte[] bytes = new byte[checked((int)type.Bytes(values.Length))];
        if (type == DType.F32)
            MemoryMarshal.AsBytes(values).CopyTo(bytes);
        else
            fixed (byte* target = bytes)
                HostTensorValues.Store(values, type, (nint)target);
        return bytes;
    }

    /// <summary>A copy of a tensor's bytes.</summary>
    public static byte[] BytesOf(HostTensor tensor) => new ReadOnlySpan<byte>((void*)tensor.Data, checked((int)tensor.Bytes)).ToArray();
}

/// <summary>A tensor that is written.</summary>
/// <param name="Name">In the file.</param>
/// <param name="Type">As stored.</param>
/// <param name="Shape">Sizes.</param>
public sealed record HostTensorName(string Name, DType Type, Shape Shape);
