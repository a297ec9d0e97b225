using System.Runtime.CompilerServices;

namespace XComposer2.Native.Cpu;

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
