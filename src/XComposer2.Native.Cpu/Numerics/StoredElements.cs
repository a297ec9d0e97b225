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

/// <summary>A floating element type. Implementations are empty structs.</summary>
internal interface IFloatElement : IStoredElement
{
    /// <summary>The elements themselves where they are fp32, else a copy of them in <paramref name="scratch"/>.</summary>
    static abstract unsafe float* AsFloats<TSimd, TVector>(nint source, int count, float* scratch)
        where TSimd : struct, ISimd<TVector>
        where TVector : struct;
}

/// <summary>fp32 as stored.</summary>
internal readonly unsafe struct SingleElement : IFloatElement
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

    public static float* AsFloats<TSimd, TVector>(nint source, int count, float* scratch)
        where TSimd : struct, ISimd<TVector>
        where TVector : struct => (float*)source;
}

/// <summary>IEEE half, widened when read.</summary>
internal readonly unsafe struct HalfElement : IFloatElement
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

    public static float* AsFloats<TSimd, TVector>(nint source, int count, float* scratch)
        where TSimd : struct, ISimd<TVector>
        where TVector : struct
    {
        FloatLoads.Widen<TSimd, TVector>(source, DType.F16, 0, scratch, count);
        return scratch;
    }
}

/// <summary>bfloat16, widened when read.</summary>
internal readonly unsafe struct BFloat16Element : IFloatElement
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

    public static float* AsFloats<TSimd, TVector>(nint source, int count, float* scratch)
        where TSimd : struct, ISimd<TVector>
        where TVector : struct
    {
        FloatLoads.Widen<TSimd, TVector>(source, DType.BF16, 0, scratch, count);
        return scratch;
    }
}

/// <summary>8-bit integers, widened when read; the scale of their row multiplies the finished sum.</summary>
internal readonly unsafe struct Int8Element : IStoredElement
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
}
