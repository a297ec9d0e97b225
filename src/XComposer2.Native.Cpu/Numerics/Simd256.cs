using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace XComposer2.Native.Cpu;

/// <summary>256-bit vectors. Right on any machine, fast where the processor has them.</summary>
public readonly unsafe struct Simd256 : ISimd<Vector256<float>>
{
    public static int Count => 8;

    public static bool HasManyRegisters => false;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Load(float* source) => Vector256.Load(source);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> LoadBFloat16(ushort* source) => (Widen(source) << 16).AsSingle();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> LoadHalf(ushort* source) => FromHalf(Widen(source).AsInt32() << 16 >> 3);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> LoadInt8(sbyte* source) => Vector256.ConvertToSingle(Widen(source));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> LoadQuads(byte* source, nint strideBytes) =>
        Vector256.Create(Vector128.Load((float*)source), Vector128.Load((float*)(source + strideBytes)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> LowerBFloat16(Vector256<float> words) => (words.AsUInt32() << 16).AsSingle();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> UpperBFloat16(Vector256<float> words) => (words.AsUInt32() & Vector256.Create(0xFFFF0000u)).AsSingle();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> LowerHalf(Vector256<float> words) => FromHalf(words.AsInt32() << 16 >> 3);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> UpperHalf(Vector256<float> words) => FromHalf(words.AsInt32() >> 3);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Int8OfWord(Vector256<float> words, int place) =>
        Vector256.ConvertToSingle(words.AsInt32() << (24 - (8 * place)) >> 24);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> InterleaveLower(Vector256<float> even, Vector256<float> odd) =>
        Avx.IsSupported
            ? Avx.UnpackLow(even, odd)
            : Vector256.Create(Simd128.InterleaveLower(even.GetLower(), odd.GetLower()), Simd128.InterleaveLower(even.GetUpper(), odd.GetUpper()));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> InterleaveUpper(Vector256<float> even, Vector256<float> odd) =>
        Avx.IsSupported
            ? Avx.UnpackHigh(even, odd)
            : Vector256.Create(Simd128.InterleaveUpper(even.GetLower(), odd.GetLower()), Simd128.InterleaveUpper(even.GetUpper(), odd.GetUpper()));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Vector256<float> value, float* destination) => value.Store(destination);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreBFloat16(Vector256<float> value, ushort* destination)
    {
        // Rounding up could carry a NaN's fraction into the sign, so NaN keeps its upper half and becomes quiet.
        Vector256<uint> bits = value.AsUInt32();
        Vector256<uint> nearest = bits + Vector256.Create(0x7FFFu) + ((bits >> 16) & Vector256.Create(1u));
        Vector256<uint> quiet = bits | Vector256.Create(0x00400000u);
        Vector256<uint> rounded = Vector256.ConditionalSelect(Vector256.Equals(value, value).AsUInt32(), nearest, quiet) >> 16;
        Vector128.Narrow(rounded.GetLower(), rounded.GetUpper()).Store(destination);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Broadcast(float value) => Vector256.Create(value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Add(Vector256<float> left, Vector256<float> right) => left + right;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Subtract(Vector256<float> left, Vector256<float> right) => left - right;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Multiply(Vector256<float> left, Vector256<float> right) => left * right;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Divide(Vector256<float> left, Vector256<float> right) => left / right;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> SquareRoot(Vector256<float> value) => Vector256.Sqrt(value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> MultiplyAdd(Vector256<float> left, Vector256<float> right, Vector256<float> addend) =>
        Vector256.MultiplyAddEstimate(left, right, addend);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Max(Vector256<float> left, Vector256<float> right) => Vector256.MaxNative(left, right);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Round(Vector256<float> value) => Vector256.Round(value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> ScaleByPowerOfTwo(Vector256<float> value, Vector256<float> exponent) =>
        value * (Vector256.ConvertToInt32(exponent + Vector256.Create(127f)) << 23).AsSingle();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> SelectLess(Vector256<float> left, Vector256<float> right, Vector256<float> whenLess, Vector256<float> otherwise) =>
        Vector256.ConditionalSelect(Vector256.LessThan(left, right), whenLess, otherwise);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Sum(Vector256<float> value) => Vector256.Sum(value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float MaxAcross(Vector256<float> value) => Simd128.MaxAcross(Vector128.MaxNative(value.GetLower(), value.GetUpper()));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float First(Vector256<float> value) => value.ToScalar();

    // Takes the half sign-extended and moved up 13 bits: exponent and fraction are then in place as a float 2^112 times too small, and the product
    // restores subnormals too. Infinity and NaN come out as 65536 and more, which no half is: they only lack the rest of their exponent.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> FromHalf(Vector256<int> half)
    {
        Vector256<float> scaled = (half & Vector256.Create(unchecked((int)0x8FFFE000))).AsSingle() * Vector256.Create(BitConverter.UInt32BitsToSingle(0x77800000));
        Vector256<float> special = (scaled.AsUInt32() | Vector256.Create(0x7F800000u)).AsSingle();
        return Vector256.ConditionalSelect(Vector256.GreaterThanOrEqual(Vector256.Abs(scaled), Vector256.Create(65536f)), special, scaled);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<uint> Widen(ushort* source) => Vector256.WidenLower(Vector128.Load(source).ToVector256Unsafe());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<int> Widen(sbyte* source)
    {
        Vector128<sbyte> bytes = Vector128.CreateScalarUnsafe(*(long*)source).AsSByte();
        if (Avx2.IsSupported)
            return Avx2.ConvertToVector256Int32(bytes);
        Vector128<short> halves = Vector128.WidenLower(bytes);
        return Vector256.Create(Vector128.WidenLower(halves), Vector128.WidenUpper(halves));
    }
}
