using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace XComposer2.Native.Cpu;

/// <summary>512 bits. 4-bit weights: unsigned times signed bytes, added in 16 bits, which eight steps of them fit. 8-bit weights do not (vpmaddubsw saturates):
/// their even and odd bytes become 16-bit integers and are multiplied with pairs of 16-bit activations.</summary>
internal readonly unsafe struct DotAvx512 : IDotSimd<Vector512<float>, Vector512<int>>
{
    public const int Lanes = 16;

    static int IDotSimd<Vector512<float>, Vector512<int>>.Lanes => Lanes;

    public static int ByteZero => DotAvx2.ByteZero;

    public static int ByteStepBytes => 8;

    public static Vector512<int> Zero => Vector512<int>.Zero;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<int> Load(byte* source) => Vector512.Load((int*)source);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<int> Broadcast(int word) => Vector512.Create(word);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<int> LowNibbles(Vector512<int> weights) => weights & Vector512.Create(0x0F0F0F0F);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<int> HighNibbles(Vector512<int> weights) => (weights >>> 4) & Vector512.Create(0x0F0F0F0F);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<int> AddNibbles(Vector512<int> sum, Vector512<int> nibbles, Vector512<int> activations) =>
        (sum.AsInt16() + Avx512BW.MultiplyAddAdjacent(nibbles.AsByte(), activations.AsSByte())).AsInt32();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<int> FinishNibbles(Vector512<int> sum) => Avx512BW.MultiplyAddAdjacent(sum.AsInt16(), Vector512.Create((short)1));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<int> FirstBytes(Vector512<int> weights) => weights & Vector512.Create(0x00FF00FF);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<int> SecondBytes(Vector512<int> weights) => (weights.AsUInt16() >>> 8).AsInt32();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<int> AddBytes(Vector512<int> sum, Vector512<int> first, Vector512<int> second, byte* activations)
    {
        sum += Avx512BW.MultiplyAddAdjacent(first.AsInt16(), Vector512.Create(((int*)activations)[0]).AsInt16());
        return sum + Avx512BW.MultiplyAddAdjacent(second.AsInt16(), Vector512.Create(((int*)activations)[1]).AsInt16());
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<int> AddProduct(Vector512<int> sum, Vector512<int> zeros, Vector512<int> factor) =>
        sum + Avx512BW.MultiplyAddAdjacent(zeros.AsInt16(), factor.AsInt16());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<int> LoadBytes(byte* source) => Avx512F.ConvertToVector512Int32(Vector128.Load(source));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> ToFloat(Vector512<int> value) => Vector512.ConvertToSingle(value);
}

/// <summary>The same on 256 bits.</summary>
internal readonly unsafe struct DotAvx2 : IDotSimd<Vector256<float>, Vector256<int>>
{
    public const int Lanes = 8;

    public const int ByteZero = 128;

    static int IDotSimd<Vector256<float>, Vector256<int>>.Lanes => Lanes;

    static int IDotSimd<Vector256<float>, Vector256<int>>.ByteZero => ByteZero;

    public static int ByteStepBytes => 8;

    public static Vector256<int> Zero => Vector256<int>.Zero;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> Load(byte* source) => Vector256.Load((int*)source);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> Broadcast(int word) => Vector256.Create(word);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> LowNibbles(Vector256<int> weights) => weights & Vector256.Create(0x0F0F0F0F);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> HighNibbles(Vector256<int> weights) => (weights >>> 4) & Vector256.Create(0x0F0F0F0F);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> AddNibbles(Vector256<int> sum, Vector256<int> nibbles, Vector256<int> activations) =>
        (sum.AsInt16() + Avx2.MultiplyAddAdjacent(nibbles.AsByte(), activations.AsSByte())).AsInt32();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> FinishNibbles(Vector256<int> sum) => Avx2.MultiplyAddAdjacent(sum.AsInt16(), Vector256.Create((short)1));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> FirstBytes(Vector256<int> weights) => weights & Vector256.Create(0x00FF00FF);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> SecondBytes(Vector256<int> weights) => (weights.AsUInt16() >>> 8).AsInt32();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> AddBytes(Vector256<int> sum, Vector256<int> first, Vector256<int> second, byte* activations)
    {
        sum += Avx2.MultiplyAddAdjacent(first.AsInt16(), Vector256.Create(((int*)activations)[0]).AsInt16());
        return sum + Avx2.MultiplyAddAdjacent(second.AsInt16(), Vector256.Create(((int*)activations)[1]).AsInt16());
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> AddProduct(Vector256<int> sum, Vector256<int> zeros, Vector256<int> factor) =>
        sum + Avx2.MultiplyAddAdjacent(zeros.AsInt16(), factor.AsInt16());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> LoadBytes(byte* source) => Avx2.ConvertToVector256Int32(Vector128.CreateScalarUnsafe(*(long*)source).AsByte());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> ToFloat(Vector256<int> value) => Vector256.ConvertToSingle(value);
}

/// <summary>256 bits with vpdpbusd, which adds four products of unsigned and signed bytes to each 32-bit sum and cannot saturate.</summary>
internal readonly unsafe struct DotAvxVnni : IDotSimd<Vector256<float>, Vector256<int>>
{
    static int IDotSimd<Vector256<float>, Vector256<int>>.Lanes => DotAvx2.Lanes;

    static int IDotSimd<Vector256<float>, Vector256<int>>.ByteZero => DotAvx2.ByteZero;

    public static int ByteStepBytes => 4;

    public static Vector256<int> Zero => Vector256<int>.Zero;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> Load(byte* source) => DotAvx2.Load(source);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> Broadcast(int word) => Vector256.Create(word);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> LowNibbles(Vector256<int> weights) => DotAvx2.LowNibbles(weights);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> HighNibbles(Vector256<int> weights) => DotAvx2.HighNibbles(weights);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> AddNibbles(Vector256<int> sum, Vector256<int> nibbles, Vector256<int> activations) =>
        AvxVnni.MultiplyWideningAndAdd(sum, nibbles.AsByte(), activations.AsSByte());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> FinishNibbles(Vector256<int> sum) => sum;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> FirstBytes(Vector256<int> weights) => weights;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> SecondBytes(Vector256<int> weights) => weights;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> AddBytes(Vector256<int> sum, Vector256<int> first, Vector256<int> second, byte* activations) =>
        AvxVnni.MultiplyWideningAndAdd(sum, first.AsByte(), Vector256.Create(*(int*)activations).AsSByte());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> AddProduct(Vector256<int> sum, Vector256<int> zeros, Vector256<int> factor) => DotAvx2.AddProduct(sum, zeros, factor);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> LoadBytes(byte* source) => DotAvx2.LoadBytes(source);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> ToFloat(Vector256<int> value) => Vector256.ConvertToSingle(value);
}
