using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace XComposer2.Native.Cpu;

/// <summary>512-bit vectors. Right on any machine, fast where the processor has them.</summary>
public readonly unsafe struct Simd512 : ISimd<Vector512<float>>
{
    public static int Count => 16;

    public static bool HasManyRegisters => true;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Load(float* source) => Vector512.Load(source);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> LoadBFloat16(ushort* source) => (Widen(source) << 16).AsSingle();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> LoadHalf(ushort* source) => FromHalf(Widen(source).AsInt32() << 16 >> 3);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> LoadInt8(sbyte* source) => Vector512.ConvertToSingle(Widen(source));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> LoadQuads(byte* source, nint strideBytes) =>
        Vector512.Create(Simd256.LoadQuads(source, strideBytes), Simd256.LoadQuads(source + (2 * strideBytes), strideBytes));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> LowerBFloat16(Vector512<float> words) => (words.AsUInt32() << 16).AsSingle();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> UpperBFloat16(Vector512<float> words) => (words.AsUInt32() & Vector512.Create(0xFFFF0000u)).AsSingle();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> LowerHalf(Vector512<float> words) => FromHalf(words.AsInt32() << 16 >> 3);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> UpperHalf(Vector512<float> words) => FromHalf(words.AsInt32() >> 3);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Int8OfWord(Vector512<float> words, int place) =>
        Vector512.ConvertToSingle(words.AsInt32() << (24 - (8 * place)) >> 24);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> InterleaveLower(Vector512<float> even, Vector512<float> odd) =>
        Avx512F.IsSupported
            ? Avx512F.UnpackLow(even, odd)
            : Vector512.Create(Simd256.InterleaveLower(even.GetLower(), odd.GetLower()), Simd256.InterleaveLower(even.GetUpper(), odd.GetUpper()));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> InterleaveUpper(Vector512<float> even, Vector512<float> odd) =>
        Avx512F.IsSupported
            ? Avx512F.UnpackHigh(even, odd)
            : Vector512.Create(Simd256.InterleaveUpper(even.GetLower(), odd.GetLower()), Simd256.InterleaveUpper(even.GetUpper(), odd.GetUpper()));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Vector512<float> value, float* destination) => value.Store(destination);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreBFloat16(Vector512<float> value, ushort* destination)
    {
        // Rounding up could carry a NaN's fraction into the sign, so NaN keeps its upper half and becomes quiet.
        Vector512<uint> bits = value.AsUInt32();
        Vector512<uint> nearest = bits + Vector512.Create(0x7FFFu) + ((bits >> 16) & Vector512.Create(1u));
        Vector512<uint> quiet = bits | Vector512.Create(0x00400000u);
        Vector512<uint> rounded = Vector512.ConditionalSelect(Vector512.Equals(value, value).AsUInt32(), nearest, quiet) >> 16;
        Vector256.Narrow(rounded.GetLower(), rounded.GetUpper()).Store(destination);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Broadcast(float value) => Vector512.Create(value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Add(Vector512<float> left, Vector512<float> right) => left + right;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Subtract(Vector512<float> left, Vector512<float> right) => left - right;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Multiply(Vector512<float> left, Vector512<float> right) => left * right;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Divide(Vector512<float> left, Vector512<float> right) => left / right;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> SquareRoot(Vector512<float> value) => Vector512.Sqrt(value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> MultiplyAdd(Vector512<float> left, Vector512<float> right, Vector512<float> addend) =>
        Vector512.MultiplyAddEstimate(left, right, addend);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Max(Vector512<float> left, Vector512<float> right) => Vector512.MaxNative(left, right);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Round(Vector512<float> value) => Vector512.Round(value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> ScaleByPowerOfTwo(Vector512<float> value, Vector512<float> exponent) =>
        Avx512F.IsSupported
            ? Avx512F.Scale(value, exponent)
            : value * (Vector512.ConvertToInt32(exponent + Vector512.Create(127f)) << 23).AsSingle();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> SelectLess(Vector512<float> left, Vector512<float> right, Vector512<float> whenLess, Vector512<float> otherwise) =>
        Vector512.ConditionalSelect(Vector512.LessThan(left, right), whenLess, otherwise);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Sum(Vector512<float> value) => Vector512.Sum(value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float MaxAcross(Vector512<float> value) => Simd256.MaxAcross(Vector256.MaxNative(value.GetLower(), value.GetUpper()));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float First(Vector512<float> value) => value.ToScalar();

    // Takes the half sign-extended and moved up 13 bits: exponent and fraction are then in place as a float 2^112 times too small, and the product
    // restores subnormals too. Infinity and NaN come out as 65536 and more, which no half is: they only lack the rest of their exponent.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> FromHalf(Vector512<int> half)
    {
        Vector512<float> scaled = (half & Vector512.Create(unchecked((int)0x8FFFE000))).AsSingle() * Vector512.Create(BitConverter.UInt32BitsToSingle(0x77800000));
        Vector512<float> special = (scaled.AsUInt32() | Vector512.Create(0x7F800000u)).AsSingle();
        return Vector512.ConditionalSelect(Vector512.GreaterThanOrEqual(Vector512.Abs(scaled), Vector512.Create(65536f)), special, scaled);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<uint> Widen(ushort* source) => Vector512.WidenLower(Vector256.Load(source).ToVector512Unsafe());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<int> Widen(sbyte* source)
    {
        Vector128<sbyte> bytes = Vector128.Load(source);
        if (Avx512F.IsSupported)
            return Avx512F.ConvertToVector512Int32(bytes);
        Vector256<short> halves = Vector256.Create(Vector128.WidenLower(bytes), Vector128.WidenUpper(bytes));
        return Vector512.Create(Vector256.WidenLower(halves), Vector256.WidenUpper(halves));
    }
}
