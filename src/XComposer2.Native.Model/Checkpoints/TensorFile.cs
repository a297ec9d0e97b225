using XComposer2.Native.Graph;

namespace XComposer2.Native.Model;

/// <summary>
/// Named tensors of one safetensors or torch file, served from the mapped file without a copy. The one exception: a safetensors tensor
/// that does not start at a multiple of its element size is copied once, when first asked for, into aligned memory of its own
/// (such tensors do not overlap, so the copies stay within the file's size; a torch archive, whose tensors may, is refused instead).
/// </summary>
public sealed unsafe class TensorFile : IWeightSource
{
    private readonly FileBytes bytes;
    private readonly Dictionary<string, StoredTensor> byName;
    private readonly Dictionary<string, NativeBlock> alignedCopies = [];
    private readonly Lock copying = new();

    private TensorFile(FileBytes bytes, List<StoredTensor> tensors)
    {
        this.bytes = bytes;
        byName = new Dictionary<string, StoredTensor>(tensors.Count);
        CheckpointTensor[] facts = new CheckpointTensor[tensors.Count];
        for (int i = 0; i < facts.Length; i++)
        {
            facts[i] = tensors[i].Facts;
            if (!byName.TryAdd(facts[i].Name, tensors[i]))
                throw new CheckpointException(bytes.Path, $"tensor {CheckpointException.Show(facts[i].Name)}", "each name once", "a duplicate");
        }
        Tensors = facts;
    }

    public string Path => bytes.Path;

    /// <summary>In the file's order.</summary>
    public IReadOnlyList<CheckpointTensor> Tensors { get; }

    /// <exception cref="CheckpointException">Not a sound safetensors file.</exception>
    public static TensorFile OpenSafetensors(string path) => ReadSafetensors(FileBytes.Map(path));

    /// <exception cref="CheckpointException">Not a sound torch archive, or one that needs more than tensors.</exception>
    public static TensorFile OpenTorch(string path) => ReadTorch(FileBytes.Map(path));

    /// <summary>Takes ownership of <paramref name="bytes"/>, also when it fails.</summary>
    public static TensorFile ReadSafetensors(FileBytes bytes) => Read(bytes, SafetensorsHeader.Read);

    /// <inheritdoc cref="ReadSafetensors"/>
    public static TensorFile ReadTorch(FileBytes bytes) => Read(bytes, TorchArchive.Read);

    public bool Contains(string name) => byName.ContainsKey(name);

    /// <exception cref="CheckpointException">The tensor's element type is one that no graph uses.</exception>
    public bool TryGet(string name, out HostTensor tensor)
    {
        if (!byName.TryGetValue(name, out StoredTensor stored))
        {
            tensor = default;
            return false;
        }
        CheckpointTensor facts = stored.Facts;
        DType type = Served(facts);
        nint address = bytes.Address(stored.OffsetBytes, facts.Bytes);
        if (address % type.ElementBytes() != 0)
            address = AlignedCopy(name, address, facts.Bytes);
        tensor = new HostTensor(address, type, facts.Shape);
        return true;
    }

    public bool TryDescribe(string name, out HostTensor facts)
    {
        bool found = byName.TryGetValue(name, out StoredTensor stored);
        facts = found ? new HostTensor(0, Served(stored.Facts), stored.Facts.Shape) : default;
        return found;
    }

    /// <summary>Frees the aligned copy, where one was made.</summary>
    public void Release(string name)
    {
        lock (copying)
        {
            if (alignedCopies.Remove(name, out NativeBlock? copy))
                copy.Dispose();
        }
    }

    public void Dispose()
    {
        bytes.Dispose();
        lock (copying)
        {
            foreach (NativeBlock copy in alignedCopies.Values)
                copy.Dispose();
            alignedCopies.Clear();
        }
    }

    private DType Served(CheckpointTensor facts) => facts.Type
        ?? throw new CheckpointException(Path, $"tensor {CheckpointException.Show(facts.Name)}", "F32, F16, BF16, I64, I32, I8 or U8", facts.TypeName);

    private static TensorFile Read(FileBytes bytes, Func<FileBytes, List<StoredTensor>> reader)
    {
        try
        {
            return new TensorFile(bytes, reader(bytes));
        }
        catch
        {
            bytes.Dispose();
            throw;
        }
    }

    private nint AlignedCopy(string name, nint source, long lengthBytes)
    {
        lock (copying)
        {
            if (!alignedCopies.TryGetValue(name, out NativeBlock? copy))
            {
                copy = new NativeBlock(lengthBytes);
                Buffer.MemoryCopy((void*)source, (void*)copy.Address, lengthBytes, lengthBytes);
                alignedCopies.Add(name, copy);
            }
            return copy.Address;
        }
    }
}
