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
