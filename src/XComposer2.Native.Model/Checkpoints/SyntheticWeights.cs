using System.Runtime.InteropServices;
using XComposer2.Native.Graph;

namespace XComposer2.Native.Model;

/// <summary>
/// Reproducible random weights for a configuration, for measurements without a checkpoint. Norms are 1, biases 0, the rest is like
/// N(0, 0.02), cut from one repeated block of noise at a place that depends on seed and name. Each tensor is real memory of its own, made on all cores
/// when it is first asked for. Safe to use from several threads.
/// </summary>
public sealed unsafe class SyntheticWeights : IWeightSource
{
    private const int NoiseElements = (1 << 20) + 7;
    private const float StandardDeviation = 0.02f;
    private const long ChunkBytes = 4 << 20;

    private readonly Dictionary<string, Shape> shapes = [];
    private readonly Dictionary<string, NativeBlock> blocks = [];
    private readonly Lock making = new();
    private readonly int seed;
    private readonly byte[] noise, ones, zeros;

    /// <param name="config">A preset, perhaps <see cref="ModelPresets.WithLayers"/>.</param>
    /// <param name="seed">The same seed gives the same weights.</param>
    /// <param name="type">BF16, F16 or F32.</param>
    public SyntheticWeights(ModelConfig config, int seed = 0, DType type = DType.BF16)
    {
        if (!type.IsFloat())
            throw new ArgumentException($"{type} is not a floating type", nameof(type));
        Type = type;
        this.seed = seed;
        foreach (ExpectedTensor tensor in ModelTensors.Expected(config))
            shapes.Add(tensor.Name, tensor.Shape);
        noise = Round(MakeNoise(seed), type);
        ones = Round([.. Enumerable.Repeat(1f, NoiseElements)], type);
        zeros = new byte[noise.Length];
    }

    public DType Type { get; }

    public bool TryGet(string name, out HostTensor tensor)
    {
        if (!TryDescribe(name, out tensor))
            return false;
        lock (making)
        {
            if (!blocks.TryGetValue(name, out NativeBlock? block))
                blocks.Add(name, block = Make(name, tensor.Bytes));
            tensor = tensor with { Data = block.Address };
            return true;
        }
    }

    public bool TryDescribe(string name, out HostTensor facts)
    {
        bool found = shapes.TryGetValue(name, out Shape shape);
        facts = found ? new HostTensor(0, Type, shape) : default;
        return found;
    }

    public long AllocatedBytes(string name) => TryDescribe(name, out HostTensor facts) ? facts.Bytes : 0;

    public long HeldBytes
    {
        get
        {
            lock (making)
                return blocks.Values.Sum(block => block.LengthBytes);
        }
    }

    public void Release(string name)
    {
        lock (making)
        {
            if (blocks.Remove(name, out NativeBlock? block))
                block.Dispose();
        }
    }

    public void Dispose()
    {
        lock (making)
        {
            foreach (NativeBlock block in blocks.Values)
                block.Dispose();
            blocks.Clear();
        }
    }

    private NativeBlock Make(string name, long bytes)
    {
        byte[] pattern = IsNorm(name) ? ones : name.EndsWith(".bias", StringComparison.Ordinal) ? zeros : noise;
        long phase = StableHash(name, seed) % NoiseElements * Type.ElementBytes();
        NativeBlock block = new(bytes);
        nint target = block.Address;
        Parallel.For(0, (bytes + ChunkBytes - 1) / ChunkBytes, chunk =>
        {
            long start = chunk * ChunkBytes;
            Repeat(pattern, phase + start, new Span<byte>((byte*)target + start, (int)Math.Min(ChunkBytes, bytes - start)));
        });
        return block;
    }

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
