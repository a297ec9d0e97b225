using XComposer2.Native.Graph;

namespace XComposer2.Native.Model;

/// <summary>
/// Named tensors of one safetensors or torch file, used in the mapped file without a copy. Two kinds are copied on first
/// use: a safetensors tensor that does not start at a multiple of its element size (such tensors do not overlap, so the copies stay
/// within the file's size), and a non-contiguous torch tensor (their total is limited to the file's size).
/// </summary>
public sealed unsafe class TensorFile : IWeightSource
{
    private readonly FileBytes bytes;
    private readonly Dictionary<string, StoredTensor> byName;
    private readonly Dictionary<string, NativeBlock> copies = [];
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

    public long LengthBytes => bytes.LengthBytes;

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
        if (!byName.TryGetValue(name, out StoredTensor? stored))
        {
            tensor = default;
            return false;
        }
        CheckpointTensor facts = stored.Facts;
        DType type = Served(facts);
        bytes.RequireIntact();
        nint address = bytes.Address(stored.OffsetBytes, stored.View is { SpanElements: { } elements } ? elements * type.ElementBytes() : facts.Bytes);
        if (IsCopied(stored))
            address = Copy(stored, address, type.ElementBytes());
        tensor = new HostTensor(address, type, facts.Shape);
        return true;
    }

    public void RequireIntact() => bytes.RequireIntact();

    public bool TryDescribe(string name, out HostTensor facts)
    {
        bool found = byName.TryGetValue(name, out StoredTensor? stored);
        facts = found ? new HostTensor(0, Served(stored!.Facts), stored.Facts.Shape) : default;
        return found;
    }

    public long AllocatedBytes(string name) => byName.TryGetValue(name, out StoredTensor? stored) && IsCopied(stored) ? stored.Facts.Bytes : 0;

    public long HeldBytes
    {
        get
        {
            lock (copying)
                return copies.Values.Sum(copy => copy.LengthBytes);
        }
    }

    /// <summary>Frees the copy, if there is one.</summary>
    public void Release(string name)
    {
        lock (copying)
        {
            if (copies.Remove(name, out NativeBlock? copy))
                copy.Dispose();
        }
    }

    public void Dispose()
    {
        bytes.Dispose();
        lock (copying)
        {
            foreach (NativeBlock copy in copies.Values)
                copy.Dispose();
            copies.Clear();
        }
    }

    private bool IsCopied(StoredTensor stored) => stored.View is not null || bytes.Address(stored.OffsetBytes, 0) % (stored.Facts.Type?.ElementBytes() ?? 1) != 0;

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

    private nint Copy(StoredTensor stored, nint source, int elementBytes)
    {
        lock (copying)
        {
            if (!copies.TryGetValue(stored.Facts.Name, out NativeBlock? copy))
            {
                copy = new NativeBlock(stored.Facts.Bytes);
                if (stored.View is { } view)
                    view.CopyTo(source, copy.Address, elementBytes);
                else
                    Buffer.MemoryCopy((void*)source, (void*)copy.Address, stored.Facts.Bytes, stored.Facts.Bytes);
                copies.Add(stored.Facts.Name, copy);
            }
            return copy.Address;
        }
    }
}
