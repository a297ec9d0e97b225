using System.Security.Cryptography;
using System.Text;
using XComposer2.Native.Graph;
using XComposer2.Native.Model;

namespace XComposer2.Native;

/// <summary>
/// Tells checkpoints apart without reading fourteen gigabytes: names, types and shapes of all tensors, and the first and last bytes of each that lies in
/// its file as it is used.
/// </summary>
internal static class ModelFingerprint
{
    private const int SampleBytes = 4096;

    /// <returns>64 hexadecimal digits.</returns>
    public static unsafe string Of(Checkpoint checkpoint)
    {
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(Encoding.UTF8.GetBytes($"{checkpoint.Config.ImageSize}\n"));
        foreach (CheckpointTensor tensor in checkpoint.Tensors.OrderBy(tensor => tensor.Name, StringComparer.Ordinal))
        {
            hash.AppendData(Encoding.UTF8.GetBytes($"{tensor.Name} {tensor.TypeName} {tensor.Shape}\n"));
            // What is packed in the file would have to be unpacked, at the cost of a whole tensor.
            bool isPlain = tensor.Type is { } type && tensor.Bytes == tensor.Shape.ElementCount * type.ElementBytes();
            if (!isPlain || !checkpoint.TryGet(tensor.Name, out HostTensor values))
                continue;
            int sample = (int)Math.Min(values.Bytes, SampleBytes);
            hash.AppendData(new ReadOnlySpan<byte>((void*)values.Data, sample));
            hash.AppendData(new ReadOnlySpan<byte>((void*)(values.Data + (nint)values.Bytes - sample), sample));
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}
