using XComposer2.Native.Graph;

namespace XComposer2.Native.Model;

/// <summary>
/// Writes a checkpoint with merged adapters as safetensors in the published layout. One tensor at a time is in memory; shards that an interrupted
/// run completed are not written again; every shard is read back and compared.
/// </summary>
public static unsafe class CheckpointMerge
{
    /// <summary>Largest tensor data of a shard.</summary>
    private const long ShardBytes = 4L << 30;

    private const int PieceBytes = 16 << 20;

    /// <param name="directory">The base model.</param>
    /// <param name="adapters">Adapter folders, in the order of application.</param>
    /// <param name="output">A new folder, or that of an interrupted run.</param>
    /// <param name="progress">Receives the bytes of each finished tensor.</param>
    /// <param name="cancellation">Takes effect between two pieces of a tensor; completed shards are kept.</param>
    /// <returns>Names of the weight files.</returns>
    /// <exception cref="CheckpointException">A file is unusable, or a written file differs from the merged weights.</exception>
    /// <exception cref="IOException">The folder cannot be written.</exception>
    public static IReadOnlyList<string> Run(string directory, IReadOnlyList<string> adapters, string output, IProgress<long>? progress = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(adapters);
        ArgumentException.ThrowIfNullOrEmpty(output);
        using Checkpoint checkpoint = CheckpointFolder.Open(directory, new CheckpointOptions { Adapters = adapters });
        CheckpointValidator.Validate(checkpoint);
        Directory.CreateDirectory(output);
        if (Path.GetFullPath(output) == Path.GetFullPath(directory))
            throw new CheckpointException(output, "output", "another folder than the base model's", "the same");
        List<List<CheckpointTensor>> shards = Split(checkpoint.Tensors.Where(tensor => tensor.Type is not null));
        List<string> names = [];
        for (int i = 0; i < shards.Count; i++)
        {
            string name = WrittenFolder.ShardName(i, shards.Count);
            names.Add(name);
            WriteShard(checkpoint, shards[i], Path.Combine(output, name), progress, cancellation);
        }
        if (shards.Count > 1)
            WrittenFolder.WriteIndex(output, shards.Zip(names).SelectMany(pair => pair.First.Select(tensor => (tensor.Name, pair.Second))), shards.Sum(shard => shard.Sum(BytesOf)));
        WrittenFolder.CopyRest(directory, output);
        return names;
    }

    private static List<List<CheckpointTensor>> Split(IEnumerable<CheckpointTensor> tensors)
    {
        List<List<CheckpointTensor>> shards = [];
        long bytes = ShardBytes;
        foreach (CheckpointTensor tensor in tensors)
        {
            long size = BytesOf(tensor);
            if (bytes + size > ShardBytes)
            {
                shards.Add([]);
                bytes = 0;
            }
            shards[^1].Add(tensor);
            bytes += size;
        }
        return shards;
    }

    private static long BytesOf(CheckpointTensor tensor) => tensor.Shape.ElementCount * tensor.Type!.Value.ElementBytes();

    private static void WriteShard(Checkpoint checkpoint, List<CheckpointTensor> tensors, string path, IProgress<long>? progress, CancellationToken cancellation)
    {
        byte[] header = WrittenFolder.Header(tensors.Select(tensor => (tensor.Name, tensor.Type!.Value, tensor.Shape)));
        if (!IsFinished(path, header, tensors))
        {
            WrittenFolder.Publish(path, stream =>
            {
                stream.Write(header);
                foreach (CheckpointTensor tensor in tensors)
                {
                    ForEachPiece(Get(checkpoint, tensor), piece => stream.Write(piece.Span()), cancellation);
                    checkpoint.Release(tensor.Name);
                }
            });
        }
        using TensorFile written = TensorFile.OpenSafetensors(path);
        foreach (CheckpointTensor tensor in tensors)
        {
            cancellation.ThrowIfCancellationRequested();
            if (!written.TryGet(tensor.Name, out HostTensor found) || !IsEqual(found, Get(checkpoint, tensor)))
                throw new CheckpointException(path, $"tensor {CheckpointException.Show(tensor.Name)}", "what was merged", "other bytes: delete the file, and merge again");
            checkpoint.Release(tensor.Name);
            progress?.Report(tensor.Bytes);
        }
    }

    private static bool IsFinished(string path, byte[] header, List<CheckpointTensor> tensors)
    {
        if (!File.Exists(path) || new FileInfo(path).Length != header.Length + tensors.Sum(BytesOf))
            return false;
        using FileStream file = File.OpenRead(path);
        byte[] found = new byte[header.Length];
        file.ReadExactly(found);
        return found.AsSpan().SequenceEqual(header);
    }

    private static HostTensor Get(Checkpoint checkpoint, CheckpointTensor tensor) =>
        checkpoint.TryGet(tensor.Name, out HostTensor found) ? found : throw new InvalidOperationException($"{tensor.Name} was there when the checkpoint was opened");

    private static void ForEachPiece(HostTensor tensor, Action<Piece> use, CancellationToken cancellation)
    {
        for (long start = 0; start < tensor.Bytes; start += PieceBytes)
        {
            cancellation.ThrowIfCancellationRequested();
            use(new Piece(tensor.Data + (nint)start, (int)Math.Min(PieceBytes, tensor.Bytes - start)));
        }
    }

    private static bool IsEqual(HostTensor first, HostTensor second)
    {
        if (first.Type != second.Type || first.Shape != second.Shape)
            return false;
        bool isEqual = true;
        ForEachPiece(first, piece => isEqual &= piece.Span().SequenceEqual(new ReadOnlySpan<byte>((void*)(second.Data + (piece.Address - first.Data)), piece.Bytes)), CancellationToken.None);
        return isEqual;
    }

    private readonly record struct Piece(nint Address, int Bytes)
    {
        public ReadOnlySpan<byte> Span() => new((void*)Address, Bytes);
    }
}
