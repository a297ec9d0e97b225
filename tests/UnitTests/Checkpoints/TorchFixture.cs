using System.Buffers.Binary;
using System.Text;
using XComposer2.Native.Graph;

namespace XComposer2.Native.UnitTests;

/// <summary>Torch archives made by hand: a zip of stored entries, data at multiples of 64 bytes.</summary>
internal static class TorchFixture
{
    public static byte[] Archive(IReadOnlyDictionary<string, TinyTensor> tensors)
    {
        PickleWriter pickle = new PickleWriter().Start();
        List<(string Name, byte[] Data)> storages = [];
        foreach ((string name, TinyTensor tensor) in tensors)
        {
            string key = $"{storages.Count}";
            storages.Add((key, tensor.Data));
            pickle.Tensor(name, tensor.TypeName switch { "F16" => "HalfStorage", "I32" => "IntStorage", _ => "FloatStorage" }, key, tensor.Shape.ElementCount, 0, tensor.Shape.AsSpan().ToArray(), Strides(tensor.Shape));
        }
        return Archive(pickle.End().ToArray(), [.. storages]);
    }

    public static byte[] Archive(byte[] pickle, params (string Key, byte[] Data)[] storages) =>
        Zip([("archive/data.pkl", pickle), ("archive/byteorder", "little"u8.ToArray()), .. storages.Select(storage => ($"archive/data/{storage.Key}", storage.Data)), ("archive/version", "3\n"u8.ToArray())]);

    public static int[] Strides(Shape shape)
    {
        int[] strides = new int[shape.Rank];
        int stride = 1;
        for (int i = shape.Rank - 1; i >= 0; i--)
        {
            strides[i] = stride;
            stride *= shape[i];
        }
        return strides;
    }

    public static byte[] Zip(IReadOnlyList<(string Name, byte[] Data)> entries, bool zip64 = false, ushort method = 0)
    {
        using MemoryStream file = new();
        using BinaryWriter writer = new(file);
        List<(byte[] Name, long Header, long Bytes)> headers = [];
        foreach ((string name, byte[] data) in entries)
        {
            byte[] raw = Encoding.UTF8.GetBytes(name);
            headers.Add((raw, file.Position, data.Length));
            WriteLocalHeader(writer, raw, method, data.Length);
            writer.Write(data);
        }
        WriteDirectory(writer, headers, zip64, method);
        writer.Flush();
        return file.ToArray();
    }

    /// <summary>Padded so that the data, which the caller writes next, starts at a multiple of 64 bytes.</summary>
    public static void WriteLocalHeader(BinaryWriter writer, byte[] name, ushort method, int size)
    {
        int padding = (int)((64 - ((writer.BaseStream.Position + 30 + name.Length) % 64)) % 64);
        writer.Write(0x04034b50);
        Fixed(writer, 0, method, 0, size);
        writer.Write((ushort)name.Length);
        writer.Write((ushort)padding);
        writer.Write(name);
        writer.Write(new byte[padding]);
    }

    public static void WriteDirectory64(BinaryWriter writer, IReadOnlyList<(byte[] Name, long Header, long Bytes)> entries) => WriteDirectory(writer, entries, true, 0);

    private static void WriteDirectory(BinaryWriter writer, IReadOnlyList<(byte[] Name, long Header, long Bytes)> entries, bool zip64, ushort method)
    {
        long start = writer.BaseStream.Position;
        foreach ((byte[] name, long header, long bytes) in entries)
        {
            writer.Write(0x02014b50);
            writer.Write((ushort)45);
            Fixed(writer, 0, method, 0, zip64 ? -1 : (int)bytes);
            writer.Write((ushort)name.Length);
            writer.Write((ushort)(zip64 ? 28 : 0));
            writer.Write(new byte[10]);
            writer.Write(zip64 ? uint.MaxValue : (uint)header);
            writer.Write(name);
            if (!zip64)
                continue;
            writer.Write((ushort)1);
            writer.Write((ushort)24);
            writer.Write(bytes);
            writer.Write(bytes);
            writer.Write(header);
        }
        WriteEnd(writer, start, writer.BaseStream.Position - start, entries.Count, zip64);
    }

    private static void Fixed(BinaryWriter writer, ushort flags, ushort method, uint checksum, int size)
    {
        writer.Write((ushort)45);
        writer.Write(flags);
        writer.Write(method);
        writer.Write(0);
        writer.Write(checksum);
        writer.Write(size);
        writer.Write(size);
    }

    private static void WriteEnd(BinaryWriter writer, long start, long bytes, int count, bool zip64)
    {
        if (zip64)
        {
            long record = start + bytes;
            writer.Write(0x06064b50);
            writer.Write(44L);
            writer.Write(0x002d002d);
            writer.Write(0L);
            writer.Write((long)count);
            writer.Write((long)count);
            writer.Write(bytes);
            writer.Write(start);
            writer.Write(0x07064b50);
            writer.Write(0);
            writer.Write(record);
            writer.Write(1);
        }
        writer.Write(0x06054b50);
        writer.Write(0);
        writer.Write(zip64 ? ushort.MaxValue : (ushort)count);
        writer.Write(zip64 ? ushort.MaxValue : (ushort)count);
        writer.Write(zip64 ? uint.MaxValue : (uint)bytes);
        writer.Write(zip64 ? uint.MaxValue : (uint)start);
        writer.Write((ushort)0);
    }
}
