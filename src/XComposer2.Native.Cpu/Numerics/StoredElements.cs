using System.Runtime.CompilerServices;
using XComposer2.Native.Graph;

namespace XComposer2.Native.Cpu;

/// <summary>Stored element type of a linear's weights, known while compiling. Implementations are empty structs.</summary>
internal unsafe interface IStoredElement
{
    static abstract int Bytes { get; }

    /// <summary>One vector of elements from <paramref name="source"/> on.</summary>
    static abstract TVector Load<TSimd, TVector>(byte* source)
        where TSimd : struct, ISimd<TVector>
        where TVector : struct;

    /// <summary>Elements in one 32-bit word: 1, 2 or 4.</summary>
    static abstract int PerWord { get; }

    /// <summary>The element at this place of each word.</summary>
    /// <param name="words">As many words as a vector has floats.</param>
    /// <param name="place">0 to <see cref="PerWord"/>, a constant.</param>
    static abstract TVector OfWord<TSimd, TVector>(TVector words, int place)
        where TSimd : struct, ISimd<TVector>
        where TVector : struct;
}

/// <summary>Element type of the key/value cache. Implementations are empty structs.</summary>
internal unsafe interface ICachedElement : IStoredElement
{
    /// <summary>An F32 scale of each token follows the 64 tokens of a head.</summary>
    static abstract bool HasScales { get; }

    /// <summary>The first tokens of a head as floats: themselves where they are fp32, else a copy of them in <paramref name="scratch"/>.</summary>
    /// <param name="head">[64, headSize], and the scales where there are any.</param>
    /// <param name="tokens">How many.</param>
    /// <param name="headSize">Elements of one token.</param>
    /// <param name="scratch">Room for tokens x headSize floats.</param>
    static abstract float* AsFloats<TSimd, TVector>(nint head, int tokens, int headSize, float* scratch)
        where TSimd : struct, ISimd<TVector>
        where TVector : struct;
}

/// <summary>fp32 as stored.</summary>
internal readonly unsafe struct SingleElement : ICachedElement
{
    public static int Bytes => sizeof(float);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Load<TSimd, TVector>(byte* source)
        where TSimd : struct, ISimd<TVector>
        where TVector : struct => TSimd.Load((float*)source);

    public static int PerWord => 1;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector OfWord<TSimd, TVector>(TVector words, int place)
        where TSimd : struct, ISimd<TVector>
        where TVector : struct => words;

    public static bool HasScales => false;

    public static float* AsFloats<TSimd, TVector>(nint head, int tokens, int headSize, float* scratch)
        where TSimd : struct, ISimd<TVector>
        where TVector : struct => (float*)head;
}

/// <summary>IEEE half, widened when read.</summary>
internal readonly unsafe struct HalfElement : ICachedElement
{
    public static int Bytes => sizeof(ushort);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Load<TSimd, TVector>(byte* source)
        where TSimd : struct, ISimd<TVector>
        where TVector : struct => TSimd.LoadHalf((ushort*)source);

    public static int PerWord => 2;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector OfWord<TSimd, TVector>(TVector words, int place)
        where TSimd : struct, ISimd<TVector>
        where TVector : struct => place == 0 ? TSimd.LowerHalf(words) : TSimd.UpperHalf(words);

    public static bool HasScales => false;

    public static float* AsFloats<TSimd, TVector>(nint head, int tokens, int headSize, float* scratch)
        where TSimd : struct, ISimd<TVector>
        where TVector : struct
    {
        FloatLoads.Widen<TSimd, TVector>(head, DType.F16, 0, scratch, (nint)tokens * headSize);
        return scratch;
    }
}

/// <summary>bfloat16, widened when read.</summary>
internal readonly unsafe struct BFloat16Element : ICachedElement
{
    public static int Bytes => sizeof(ushort);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Load<TSimd, TVector>(byte* source)
        where TSimd : struct, ISimd<TVector>
        where TVector : struct => TSimd.LoadBFloat16((ushort*)source);

    public static int PerWord => 2;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector OfWord<TSimd, TVector>(TVector words, int place)
        where TSimd : struct, ISimd<TVector>
        where TVector : struct => place == 0 ? TSimd.LowerBFloat16(words) : TSimd.UpperBFloat16(words);

    public static bool HasScales => false;

    public static float* AsFloats<TSimd, TVector>(nint head, int tokens, int headSize, float* scratch)
        where TSimd : struct, ISimd<TVector>
        where TVector : struct
    {
        FloatLoads.Widen<TSimd, TVector>(head, DType.BF16, 0, scratch, (nint)tokens * headSize);
        return scratch;
    }
}

/// <summary>8-bit integers, widened when read; the scale of their row, or of their token, multiplies the finished sum.</summary>
internal readonly unsafe struct Int8Element : ICachedElement
{
    public static int Bytes => sizeof(sbyte);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Load<TSimd, TVector>(byte* source)
        where TSimd : struct, ISimd<TVector>
        where TVector : struct => TSimd.LoadInt8((sbyte*)source);

    public static int PerWord => 4;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector OfWord<TSimd, TVector>(TVector words, int place)
        where TSimd : struct, ISimd<TVector>
        where TVector : struct => TSimd.Int8OfWord(words, place);

    public static bool HasScales => true;

    public static float* AsFloats<TSimd, TVector>(nint head, int tokens, int headSize, float* scratch)
        where TSimd : struct, ISimd<TVector>
        where TVector : struct
    {
        float* scales = KvLayerView.Scales(head, headSize);
        for (int token = 0; token < tokens; token++)
        {
            TVector scale = TSimd.Broadcast(scales[token]);
            nint first = token * (nint)headSize;
            for (int i = 0; i < headSize; i += TSimd.Count)
                TSimd.Store(TSimd.Multiply(TSimd.LoadInt8((sbyte*)head + first + i), scale), scratch + first + i);
        }

        return scratch;
    }
}
