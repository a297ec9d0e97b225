using System.Runtime.InteropServices;
using XComposer2.Native.Graph;
using XComposer2.Native.Model;

namespace XComposer2.Native.Verification;

/// <summary>A golden.safetensors: what the original code computed, stage by stage. Its shapes are checked against the model's.</summary>
internal sealed unsafe class GoldenFile : IDisposable
{
    private readonly TensorFile file;
    private readonly ModelConfig config;

    /// <exception cref="CheckpointException">Not a sound safetensors file.</exception>
    public GoldenFile(string path, ModelConfig config)
    {
        if (!File.Exists(path))
            throw new CheckpointException(path, "file", "golden tensors to compare with", "no such file");
        file = TensorFile.OpenSafetensors(path);
        this.config = config;
    }

    /// <summary>Pictures in the file.</summary>
    public int Images => Find("pixel_values", DType.F32, 4).Shape[0];

    public bool HasPrompt(string prompt) => file.Contains(prompt + ".logits");

    /// <exception cref="CheckpointException">The tensor is missing, or of another type or shape.</exception>
    public ReadOnlySpan<float> Floats(string name, params ReadOnlySpan<int> shape) => Values<float>(name, DType.F32, shape);

    /// <inheritdoc cref="Floats"/>
    public ReadOnlySpan<int> Integers(string name, params ReadOnlySpan<int> shape) => Values<int>(name, DType.I32, shape);

    /// <summary>All of a vector of ids.</summary>
    public ReadOnlySpan<int> Ids(string name)
    {
        HostTensor tensor = Find(name, DType.I32, 1);
        var ids = new ReadOnlySpan<int>((void*)tensor.Data, tensor.Shape[0]);
        foreach (int id in ids)
            if ((uint)id >= (uint)config.Decoder.VocabularySize)
                throw new CheckpointException(file.Path, name, $"ids below {config.Decoder.VocabularySize}", $"{id}");
        return ids;
    }

    /// <summary>The three parts of <c>text_ids</c>.</summary>
    public (int A, int B, int C) TextSplit()
    {
        ReadOnlySpan<int> split = Integers("text_split", 3);
        int length = Ids("text_ids").Length;
        if (split[0] < 0 || split[1] < 0 || split[2] < 0 || (long)split[0] + split[1] + split[2] != length)
            throw new CheckpointException(file.Path, "text_split", $"three lengths that sum to {length}", $"{split[0]}, {split[1]}, {split[2]}");
        return (split[0], split[1], split[2]);
    }

    public void Dispose() => file.Dispose();

    private ReadOnlySpan<T> Values<T>(string name, DType type, scoped ReadOnlySpan<int> shape)
        where T : unmanaged
    {
        HostTensor tensor = Find(name, type, shape.Length);
        var expected = new Shape(shape);
        if (tensor.Shape != expected)
            throw new CheckpointException(file.Path, name, $"{type} {expected}", $"{tensor.Type} {tensor.Shape}");
        return MemoryMarshal.CreateReadOnlySpan(ref *(T*)tensor.Data, checked((int)tensor.Shape.ElementCount));
    }

    private HostTensor Find(string name, DType type, int rank)
    {
        if (!file.TryGet(name, out HostTensor tensor))
            throw new CheckpointException(file.Path, name, $"a tensor of {type}", "no such tensor");
        if (tensor.Type != type || tensor.Shape.Rank != rank)
            throw new CheckpointException(file.Path, name, $"{type} of rank {rank}", $"{tensor.Type} {tensor.Shape}");
        return tensor;
    }
}
