namespace XComposer2.Native.Model;

/// <summary>How the weight files of a checkpoint are used.</summary>
public enum WeightLoading
{
    /// <summary>Mapped: loaded on access, and dropped by the system under memory pressure. Truncating a file while it is in use may end the process (SECURITY.md).</summary>
    Mapped,

    /// <summary>Read into memory when the checkpoint is opened: takes their size, and what happens to the files afterwards has no effect. For servers.</summary>
    Memory,
}

/// <summary>Opens the weight files of one checkpoint and of its adapters, all in one way.</summary>
/// <param name="loading">Mapped or read.</param>
/// <param name="cancellation">Looked at while files are read.</param>
internal sealed class WeightReader(WeightLoading loading = WeightLoading.Mapped, CancellationToken cancellation = default)
{
    /// <summary>Bytes of all files that were opened.</summary>
    public long TotalBytes { get; private set; }

    /// <inheritdoc cref="TensorFile.OpenSafetensors"/>
    public TensorFile OpenSafetensors(string path) => TensorFile.ReadSafetensors(Open(path));

    /// <inheritdoc cref="TensorFile.OpenTorch"/>
    public TensorFile OpenTorch(string path) => TensorFile.ReadTorch(Open(path));

    private FileBytes Open(string path)
    {
        cancellation.ThrowIfCancellationRequested();
        // The system would promise more memory than there is, and end the process when it is used.
        long room = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes - TotalBytes;
        FileBytes bytes = loading == WeightLoading.Memory ? FileBytes.Read(path, Math.Max(0, room), "size beside the other weight files in memory", cancellation) : FileBytes.Map(path);
        TotalBytes += bytes.LengthBytes;
        return bytes;
    }
}
