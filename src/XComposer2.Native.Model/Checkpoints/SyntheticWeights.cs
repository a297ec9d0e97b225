using System.Runtime.InteropServices;
using XComposer2.Native.Graph;

namespace XComposer2.Native.Model;

/// <summary>
/// Reproducible random weights for a configuration, for measurements without a checkpoint. Norms are 1, biases 0, the rest is like
/// N(0, 0.02), cut from one repeated block of noise at a place that depends on seed and name. All of it is real memory of its own.
/// </summary>
public sealed unsafe class SyntheticWeights : IWeightSource
{
    private const int NoiseElements = (1 << 20) + 7;
    private const float StandardDeviation = 0.02f;
    private const long AlignmentBytes = 64;
    private const long ChunkBytes = 4 << 20;

    private readonly NativeBlock block;
    private readonly Dictionary<string, (long OffsetBytes, Shape Shape)> tensors = [];

    /// <summary>Makes all weights, on all cores.</summary>
    /// <param name="config">A preset, perhaps <see cref="ModelPresets.WithLayers"/>.</param>
    /// <param name="seed">The same seed gives the same weights.</param>
    /// <param name="type">BF16, F16 or F32.</param>
    public SyntheticWeights(ModelConfig config, int seed = 0, DType type = DType.BF16)
    {
        if (!type.IsFloat())
            throw new ArgumentException($"{type} is not a floating type", nameof(type));
        Type = type;
        IReadOnlyList<ExpectedTensor> expected = ModelTensors.Expected(config);
        long offset = 0;
        List<(ExpectedTensor Tensor, long OffsetBytes, long StartByte, long LengthBytes)> chunks = [];
        foreach (ExpectedTensor tensor in expected)
        {
            long bytes = tensor.Shape.ElementCount * type.ElementBytes();
            tensors.Add(tensor.Name, (offset, tensor.Shape));
            for (long start = 0; start < bytes; start += ChunkBytes)
                chunks.Add((tensor, offset, start, Math.Min(ChunkBytes, bytes - start)));
            offset = (offset + bytes + AlignmentBytes - 1) / AlignmentBytes * AlignmentBytes;
        }
        block = new NativeBlock(offset);
        byte[] noise = Round(MakeNoise(seed), type);
        byte[] ones = Round([.. Enumerable.Repeat(1f, NoiseElements)], type);
        byte[] zeros = new byte[noise.Length];
        nint target = block.Address;
        Parallel.ForEach(chunks, chunk =>
        {
            byte[] pattern = IsNorm(chunk.Tensor.Name) ? ones : chunk.Tensor.Name.EndsWith(".bias", StringComparison.Ordinal) ? zeros : noise;
            long phase = StableHash(chunk.Tensor.Name, seed) % NoiseElements * type.ElementBytes();
            Repeat(pattern, phase + chunk.StartByte, new Span<byte>((byte*)target + chunk.OffsetBytes + chunk.StartByte, (int)chunk.LengthBytes));
        });
    }

    public DType Type { get; }

    public long TotalBytes => block.LengthBytes;

    public bool TryGet(string name, out HostTensor tensor)
    {
        bool found = tensors.TryGetValue(name, out (long OffsetBytes, Shape Shape) place);
        tensor = found ? new HostTensor(block.Address + (nint)place.OffsetBytes, Type, place.Shape) : default;
        return found;
    }

    public void Dispose() => block.Dispose();

    private static bool IsNorm(string name) => name.EndsWith("norm.weight", StringComparison.Ordinal)
        || (name.EndsWith(".weight", StringComparison.Ordinal) && (name.Contains("layer_norm", StringComparison.Ordinal) || name.Contains("pre_layrnorm", StringComparison.Ordinal)));

    private static void Repeat(ReadOnlySpan<byte> pattern, long start, Span<byte> target)
    {
        int position = (int)(start % pattern.Length);
        while (!target.IsEmpty)
        {
            int count = Math.Min(target.Length, pattern.Length - position);
            pattern.Slice(position, count).CopyTo(target);
            target = target[count..];
            position = 0;
        }
    }

    /// <summary>The sum of four uniform numbers is close enough to a normal one, and the same on every machine.</summary>
    private static float[] MakeNoise(int seed)
    {
        ulong state = unchecked((ulong)seed * 0x9E3779B97F4A7C15UL) ^ 0xD1B54A32D192ED03UL;
        float scale = StandardDeviation * MathF.Sqrt(3f) / 65536f;
        float[] noise = new float[NoiseElements];
        for (int i = 0; i < noise.Length; i++)
        {
            state = unchecked(state + 0x9E3779B97F4A7C15UL);
            ulong bits = unchecked((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9UL);
            bits = unchecked((bits ^ (bits >> 27)) * 0x94D049BB133111EBUL);
            bits ^= bits >> 31;
            int sum = (int)(bits & 0xFFFF) + (int)((bits >> 16) & 0xFFFF) + (int)((bits >> 32) & 0xFFFF) + (int)(bits >> 48);
            noise[i] = (sum - 131070) * scale;
        }
        return noise;
    }

    private static byte[] Round(float[] values, DType type)
    {
        byte[] bytes = new byte[values.Length * type.ElementBytes()];
        for (int i = 0; i < values.Length; i++)
        {
            uint bits = BitConverter.SingleToUInt32Bits(values[i]);
            switch (type)
            {
                case DType.F32:
                    MemoryMarshal.Cast<byte, float>(bytes.AsSpan())[i] = values[i];
                    break;
                case DType.F16:
                    MemoryMarshal.Cast<byte, Half>(bytes.AsSpan())[i] = (Half)values[i];
                    break;
                default:
                    MemoryMarshal.Cast<byte, ushort>(bytes.AsSpan())[i] = (ushort)((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16);
                    break;
            }
        }
        return bytes;
    }

    private static long StableHash(string name, int seed)
    {
        ulong hash = 14695981039346656037UL ^ (uint)seed;
        foreach (char c in name)
            hash = unchecked((hash ^ c) * 1099511628211UL);
        return (long)(hash >> 1);
    }
}
