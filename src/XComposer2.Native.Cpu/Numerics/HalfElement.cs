using System.Runtime.CompilerServices;
using XComposer2.Native.Graph;

namespace XComposer2.Native.Cpu;

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
    public static TVector First<TSimd, TVector>(TVector words)
        where TSimd : struct, ISimd<TVector>
        where TVector : struct => TSimd.LowerHalf(words);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Last<TSimd, TVector>(TVector words)
        where TSimd : struct, ISimd<TVector>
        where TVector : struct => TSimd.UpperHalf(words);

    public static float* AsFloats<TSimd, TVector>(nint source, int count, float* scratch)
        where TSimd : struct, ISimd<TVector>
        where TVector : struct
    {
        FloatLoads.Widen<TSimd, TVector>(source, DType.F16, 0, scratch, count);
        return scratch;
    }
}
