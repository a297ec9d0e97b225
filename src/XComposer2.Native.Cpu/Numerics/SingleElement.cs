using System.Runtime.CompilerServices;

namespace XComposer2.Native.Cpu;

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
