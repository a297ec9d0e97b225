using XComposer2.Native.Graph;

namespace XComposer2.Native.Model;

/// <summary>The tensors of all files of a checkpoint under one roof. Owns the files.</summary>
internal sealed class TensorSet : IWeightSource
{
    private readonly IReadOnlyList<TensorFile> files;
    private readonly Dictionary<string, TensorFile> owners = [];

    /// <summary>Takes ownership of <paramref name="files"/>.</summary>
    /// <exception cref="CheckpointException">Two files hold the same name.</exception>
    public TensorSet(IReadOnlyList<TensorFile> files)
    {
        this.files = files;
        List<CheckpointTensor> tensors = [];
        foreach (TensorFile file in files)
        {
            foreach (CheckpointTensor tensor in file.Tensors)
            {
                if (!owners.TryAdd(tensor.Name, file))
                    throw new CheckpointException(file.Path, $"tensor {CheckpointException.Show(tensor.Name)}", "each name in one shard", $"it in {owners[tensor.Name].Path} too");
                tensors.Add(tensor);
            }
        }
        Tensors = tensors;
    }

    public IReadOnlyList<CheckpointTensor> Tensors { get; }

    public bool TryGet(string name, out HostTensor tensor)
    {
        if (owners.TryGetValue(name, out TensorFile? file))
            return file.TryGet(name, out tensor);
        tensor = default;
        return false;
    }

    public bool TryDescribe(string name, out HostTensor facts)
    {
        if (owners.TryGetValue(name, out TensorFile? file))
            return file.TryDescribe(name, out facts);
        facts = default;
        return false;
    }

    public long AllocatedBytes(string name) => owners.TryGetValue(name, out TensorFile? file) ? file.AllocatedBytes(name) : 0;

    public long HeldBytes => files.Sum(file => file.HeldBytes);

    public void RequireIntact()
    {
        foreach (TensorFile file in files)
            file.RequireIntact();
    }

    public void Release(string name)
    {
        if (owners.TryGetValue(name, out TensorFile? file))
            file.Release(name);
    }

    public void Dispose()
    {
        foreach (TensorFile file in files)
            file.Dispose();
    }
}
