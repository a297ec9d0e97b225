using System.Buffers.Binary;
using System.Text.Json;

namespace XComposer2.Native.Model;

/// <summary>
/// The header of a safetensors file: 8 bytes of length, then JSON of name → dtype, shape, data_offsets. As the format demands, the
/// tensors must tile the data section: no overlap, no gap, nothing after the last.
/// </summary>
internal static class SafetensorsHeader
{
    private const int LengthFieldBytes = 8;
    private const int MaximumHeaderBytes = 100_000_000;
    private const long MaximumDataBytes = 1L << 48;

    public static List<StoredTensor> Read(FileBytes bytes)
    {
        bytes.RefuseStandIn("weights");
        if (bytes.LengthBytes < LengthFieldBytes + 2)
            throw new CheckpointException(bytes.Path, "header length", "a safetensors file of at least 10 bytes", $"{bytes.LengthBytes} bytes");
        ulong headerBytes = BinaryPrimitives.ReadUInt64LittleEndian(bytes.Slice(0, LengthFieldBytes));
        ulong maximum = (ulong)Math.Min(bytes.LengthBytes - LengthFieldBytes, MaximumHeaderBytes);
        if (headerBytes <= MaximumHeaderBytes && headerBytes > (ulong)(bytes.LengthBytes - LengthFieldBytes) && bytes.Slice(LengthFieldBytes, 1)[0] == (byte)'{')
            throw CutOff(bytes, LengthFieldBytes + (long)headerBytes, $"header length {headerBytes}");
        if (headerBytes is 0 || headerBytes > maximum)
            throw new CheckpointException(bytes.Path, "header length", $"1 to {maximum} bytes (the file has {bytes.LengthBytes})", $"{headerBytes}");
        long dataStart = LengthFieldBytes + (long)headerBytes;
        ReadOnlySpan<byte> header = bytes.Slice(LengthFieldBytes, (int)headerBytes);
        if (header[0] != (byte)'{')
            throw new CheckpointException(bytes.Path, "header", "a JSON object", $"byte 0x{header[0]:x2}");

        List<StoredTensor> tensors = [];
        try
        {
            ReadEntries(header, bytes.Path, dataStart, tensors);
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException)
        {
            throw new CheckpointException(bytes.Path, "header", "well-formed JSON in UTF-8", CheckpointException.Show(error.Message), error);
        }
        CheckTiling(bytes, dataStart, tensors);
        return tensors;
    }

    private static void ReadEntries(ReadOnlySpan<byte> header, string path, long dataStart, List<StoredTensor> tensors)
    {
        Utf8JsonReader reader = new(header);
        Expect(ref reader, JsonTokenType.StartObject, path, "header");
        while (ReadPropertyOrEnd(ref reader, path, "header"))
        {
            if (reader.ValueTextEquals("__metadata__"u8))
            {
                Expect(ref reader, JsonTokenType.StartObject, path, "__metadata__");
                reader.Skip();
                continue;
            }
            string name = reader.GetString()!;
            tensors.Add(ReadEntry(ref reader, path, name, dataStart));
        }
        while (reader.Read())
        {
            // Only white space may follow: the reader throws on anything else.
        }
    }

    private static StoredTensor ReadEntry(ref Utf8JsonReader reader, string path, string name, long dataStart)
    {
        StoredType? type = null;
        TensorSizes sizes = default;
        bool hasShape = false;
        long begin = -1, end = -1;
        Expect(ref reader, JsonTokenType.StartObject, path, name);
        while (ReadPropertyOrEnd(ref reader, path, name))
        {
            if (reader.ValueTextEquals("dtype"u8))
            {
                Once(type is null, path, name, "dtype");
                Expect(ref reader, JsonTokenType.String, path, Field(name, "dtype"));
                string typeName = reader.GetString()!;
                type = StoredType.FromSafetensors(typeName)
                    ?? throw new CheckpointException(path, Field(name, "dtype"), "a safetensors dtype", CheckpointException.Show(typeName));
            }
            else if (reader.ValueTextEquals("shape"u8))
            {
                Once(!hasShape, path, name, "shape");
                hasShape = true;
                Expect(ref reader, JsonTokenType.StartArray, path, Field(name, "shape"));
                while (ReadIntegerOrEnd(ref reader, path, name, "shape", out long size))
                    if (!sizes.TryAdd(size))
                        throw new CheckpointException(path, Field(name, "shape"), $"at most {TensorSizes.MaximumRank} sizes of 0 to {int.MaxValue}", $"{sizes.ToString()} and {size}");
            }
            else if (reader.ValueTextEquals("data_offsets"u8))
            {
                Once(begin < 0, path, name, "data_offsets");
                Expect(ref reader, JsonTokenType.StartArray, path, Field(name, "data_offsets"));
                if (!ReadIntegerOrEnd(ref reader, path, name, "data_offsets", out begin) || !ReadIntegerOrEnd(ref reader, path, name, "data_offsets", out end)
                    || ReadIntegerOrEnd(ref reader, path, name, "data_offsets", out _))
                    throw new CheckpointException(path, Field(name, "data_offsets"), "two offsets", "another number of them");
                if (begin < 0 || begin > end || end > MaximumDataBytes)
                    throw new CheckpointException(path, Field(name, "data_offsets"), $"0 <= begin <= end <= {MaximumDataBytes}", $"[{begin}, {end}]");
            }
            else
            {
                reader.Skip();
            }
        }
        if (type is not { } stored || !hasShape || begin < 0)
            throw new CheckpointException(path, $"tensor {CheckpointException.Show(name)}", "dtype, shape and data_offsets", $"no {(type is null ? "dtype" : hasShape ? "data_offsets" : "shape")}");
        if (!sizes.TryCountBytes(stored.ElementBytes, out long bytes) || bytes != end - begin)
            throw new CheckpointException(path, Field(name, "shape"), $"{end - begin} bytes, as data_offsets say", $"{stored.Name} {sizes.ToString()}");
        return new StoredTensor(new CheckpointTensor(name, stored.Name, stored.Type, sizes.ToShape(), bytes, path), dataStart + begin);
    }

    private static void CheckTiling(FileBytes bytes, long dataStart, List<StoredTensor> tensors)
    {
        StoredTensor[] ordered = [.. tensors];
        Array.Sort(ordered, static (a, b) => a.OffsetBytes != b.OffsetBytes ? a.OffsetBytes.CompareTo(b.OffsetBytes) : a.Facts.Bytes.CompareTo(b.Facts.Bytes));
        long position = dataStart;
        foreach (StoredTensor tensor in ordered)
        {
            if (tensor.OffsetBytes != position)
                throw new CheckpointException(bytes.Path, Field(tensor.Facts.Name, "data_offsets"), $"a start at {position - dataStart}, where the tensor before ends",
                    $"{tensor.OffsetBytes - dataStart} ({(tensor.OffsetBytes < position ? "an overlap" : "a gap")})");
            position += tensor.Facts.Bytes;
        }
        if (position > bytes.LengthBytes)
            throw CutOff(bytes, position, "data");
        if (position != bytes.LengthBytes)
            throw new CheckpointException(bytes.Path, "data", $"{position - dataStart} bytes, as the tensors say", $"{bytes.LengthBytes - dataStart} bytes");
    }

    private static CheckpointException CutOff(FileBytes bytes, long wholeBytes, string field) => new(
        bytes.Path, field, $"a file of {wholeBytes} bytes, as its header says", $"{bytes.LengthBytes}: the file is cut off, {wholeBytes - bytes.LengthBytes} bytes are missing; download it again");

    private static string Field(string name, string field) => $"tensor {CheckpointException.Show(name)}, {field}";

    private static void Once(bool first, string path, string name, string field)
    {
        if (!first)
            throw new CheckpointException(path, Field(name, field), "one", "a second one");
    }

    private static void Expect(ref Utf8JsonReader reader, JsonTokenType token, string path, string field)
    {
        if (!reader.Read() || reader.TokenType != token)
            throw new CheckpointException(path, CheckpointException.Show(field), $"JSON {token}", $"{reader.TokenType}");
    }

    private static bool ReadPropertyOrEnd(ref Utf8JsonReader reader, string path, string field)
    {
        if (reader.Read() && reader.TokenType is JsonTokenType.PropertyName or JsonTokenType.EndObject)
            return reader.TokenType == JsonTokenType.PropertyName;
        throw new CheckpointException(path, CheckpointException.Show(field), "a JSON property", $"{reader.TokenType}");
    }

    private static bool ReadIntegerOrEnd(ref Utf8JsonReader reader, string path, string name, string field, out long value)
    {
        value = -1;
        if (!reader.Read() || reader.TokenType is not (JsonTokenType.Number or JsonTokenType.EndArray))
            throw new CheckpointException(path, Field(name, field), "integers", $"{reader.TokenType}");
        if (reader.TokenType == JsonTokenType.EndArray)
            return false;
        if (!reader.TryGetInt64(out value))
            throw new CheckpointException(path, Field(name, field), "64-bit integers", "another number");
        return true;
    }
}
