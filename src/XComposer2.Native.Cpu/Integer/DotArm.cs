using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;

namespace XComposer2.Native.Cpu;

/// <summary>128 bits: sdot multiplies signed bytes, so that 8-bit weights are packed as they are, and nibbles are small enough to be signed.</summary>
internal readonly unsafe struct DotArm : IDotSimd<Vector128<float>, Vector128<int>>
{
    public const int Lanes = 4;

    public const int ByteZero = 0;

    static int IDotSimd<Vector128<float>, Vector128<int>>.Lanes => Lanes;

    static int IDotSimd<Vector128<float>, Vector128<int>>.ByteZero => ByteZero;

    public static int ByteStepBytes => 4;

    public static Vector128<int> Zero => Vector128<int>.Zero;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<int> Load(byte* source) => Vector128.Load((int*)source);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<int> Broadcast(int word) => Vector128.Create(word);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<int> LowNibbles(Vector128<int> weights) => weights & Vector128.Create(0x0F0F0F0F);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<int> HighNibbles(Vector128<int> weights) => (weights.AsByte() >>> 4).AsInt32();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<int> AddNibbles(Vector128<int> sum, Vector128<int> nibbles, Vector128<int> activations) => Dot(sum, nibbles, activations);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<int> FinishNibbles(Vector128<int> sum) => sum;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<int> FirstBytes(Vector128<int> weights) => weights;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<int> SecondBytes(Vector128<int> weights) => weights;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<int> AddBytes(Vector128<int> sum, Vector128<int> first, Vector128<int> second, byte* activations) =>
        Dot(sum, first, Vector128.Create(*(int*)activations));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<int> AddProduct(Vector128<int> sum, Vector128<int> zeros, Vector128<int> factor) => sum + (zeros * factor);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<int> LoadBytes(byte* source) => Vector128.Create(source[0], source[1], source[2], (int)source[3]);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> ToFloat(Vector128<int> value) => Vector128.ConvertToSingle(value);

    /// <summary>In software where there is no such instruction, so that the path can be tested anywhere.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<int> Dot(Vector128<int> sum, Vector128<int> left, Vector128<int> right)
    {
        if (Dp.IsSupported)
            return Dp.DotProduct(sum, left.AsSByte(), right.AsSByte());
        for (int place = 24; place >= 0; place -= 8)
            sum += (left << place >> 24) * (right << place >> 24);
        return sum;
    }
}
