using System.Globalization;

namespace XComposer2.Native.Model;

/// <summary>
/// A file of torch.save since torch 1.6: a zip of <c>NAME/data.pkl</c> (a pickle: names, shapes, storage keys), <c>NAME/data/KEY</c>
/// (one storage each, uncompressed), <c>NAME/version</c> and perhaps <c>NAME/byteorder</c>.
/// </summary>
internal static class TorchArchive
{
    private const int MaximumPickleBytes = 8 << 20;
    private const string PickleName = "/data.pkl";

    public static List<StoredTensor> Read(FileBytes bytes)
    {
        bytes.RefuseStandIn("weights");
        RefuseLegacy(bytes);
        Dictionary<string, ZipEntry> entries = StoredZip.Read(bytes);
        ZipEntry pickleEntry = FindPickle(bytes, entries);
        string root = pickleEntry.Name[..^PickleName.Length];
        if (entries.TryGetValue(root + "/byteorder", out ZipEntry order)
            && (order.LengthBytes > 16 || !bytes.Slice(order.OffsetBytes, (int)order.LengthBytes).Trim((byte)'\n').SequenceEqual("little"u8)))
            throw new CheckpointException(bytes.Path, "byteorder", "little", "another byte order");
        if (pickleEntry.LengthBytes > MaximumPickleBytes)
            throw new CheckpointException(bytes.Path, "data.pkl", $"at most {MaximumPickleBytes} bytes", $"{pickleEntry.LengthBytes} bytes");

        TorchPickleReader reader = new(bytes.Slice(pickleEntry.OffsetBytes, (int)pickleEntry.LengthBytes), bytes.Path + PickleName);
        PickledDictionary state = reader.Read();
        Dictionary<string, ZipEntry> storages = FindStorages(entries, root + "/data/");
        List<StoredTensor> tensors = new(state.Items.Count);
        Int128 copiedBytes = 0;
        foreach ((object? key, object? value) in state.Items)
        {
            if (key is not string name)
                throw new CheckpointException(bytes.Path, "state dictionary", "names as keys", TorchPickleReader.Describe(key));
            if (value is not PickledTensor tensor)
                throw new CheckpointException(bytes.Path, $"state dictionary, {CheckpointException.Show(name)}", "a tensor", TorchPickleReader.Describe(value));
            StoredTensor located = Locate(bytes, storages, name, tensor);
            copiedBytes += located.View is null ? 0 : located.Facts.Bytes;
            if (copiedBytes > bytes.LengthBytes)
                throw new CheckpointException(bytes.Path, $"tensor {CheckpointException.Show(name)}", $"tensors that are not contiguous of at most {bytes.LengthBytes} bytes together, the size of the file", $"{copiedBytes} bytes");
            tensors.Add(located);
        }
        return tensors;
    }

    private static StoredTensor Locate(FileBytes bytes, Dictionary<string, ZipEntry> storages, string name, PickledTensor tensor)
    {
        PickledStorage storage = tensor.Storage;
        string field = $"tensor {CheckpointException.Show(name)}";
        if (!storages.TryGetValue(storage.Key, out ZipEntry entry))
            throw new CheckpointException(bytes.Path, field, $"its storage data/{CheckpointException.Show(storage.Key)}", "no such zip entry");
        if ((Int128)storage.Elements * storage.Type.ElementBytes != entry.LengthBytes)
            throw new CheckpointException(bytes.Path, $"storage data/{CheckpointException.Show(storage.Key)}",
                $"{storage.Elements.ToString(CultureInfo.InvariantCulture)} elements of {storage.Type.Name}", $"{entry.LengthBytes} bytes");
        if (entry.OffsetBytes % storage.Type.ElementBytes != 0)
            throw new CheckpointException(bytes.Path, $"storage data/{CheckpointException.Show(storage.Key)}", $"a start at a multiple of {storage.Type.ElementBytes} bytes, as torch writes it", $"byte {entry.OffsetBytes}");
        long bytesInFile = checked(tensor.Elements * storage.Type.ElementBytes);
        CheckpointTensor facts = new(name, storage.Type.Name, storage.Type.Type, tensor.Shape, bytesInFile, bytes.Path);
        return new StoredTensor(facts, entry.OffsetBytes + (tensor.OffsetElements * storage.Type.ElementBytes), tensor.View);
    }

    private static Dictionary<string, ZipEntry> FindStorages(Dictionary<string, ZipEntry> entries, string prefix)
    {
        Dictionary<string, ZipEntry> storages = new(entries.Count);
        foreach (ZipEntry entry in entries.Values)
            if (entry.Name.StartsWith(prefix, StringComparison.Ordinal))
                storages.Add(entry.Name[prefix.Length..], entry);
        return storages;
    }

    private static ZipEntry FindPickle(FileBytes bytes, Dictionary<string, ZipEntry> entries)
    {
        ZipEntry? found = null;
        foreach (ZipEntry entry in entries.Values)
        {
            if (!entry.Name.EndsWith(PickleName, StringComparison.Ordinal) || entry.Name.IndexOf('/', StringComparison.Ordinal) != entry.Name.Length - PickleName.Length)
                continue;
            if (found is not null)
                throw new CheckpointException(bytes.Path, "data.pkl", "one", "two");
            found = entry;
        }
        return found ?? throw new CheckpointException(bytes.Path, "data.pkl", "a torch archive with NAME/data.pkl", "a zip without it");
    }

    private static void RefuseLegacy(FileBytes bytes)
    {
        ReadOnlySpan<byte> start = bytes.Slice(0, (int)Math.Min(bytes.LengthBytes, 4));
        if (start.Length >= 2 && start[0] == 0x80 && start[1] is >= 1 and <= 5)
            throw new CheckpointException(bytes.Path, "file", "a torch zip archive (torch 1.6 and later)", "a bare pickle, the format before torch 1.6: save it again with a newer torch");
        if (!start.SequenceEqual("PK\u0003\u0004"u8) && !start.SequenceEqual("PK\u0005\u0006"u8))
            throw new CheckpointException(bytes.Path, "file", "a torch zip archive, which starts with PK", $"bytes {Convert.ToHexString(start)}");
    }
}
