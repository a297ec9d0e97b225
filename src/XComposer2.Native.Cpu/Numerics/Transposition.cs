using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;

namespace XComposer2.Native.Cpu;

/// <summary>Transposition of four by four floats in registers.</summary>
internal static class Transposition
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void FourByFour(ref Vector128<float> row0, ref Vector128<float> row1, ref Vector128<float> row2, ref Vector128<float> row3)
    {
        Vector128<float> low02 = InterleaveLow(row0, row2), high02 = InterleaveHigh(row0, row2);
        Vector128<float> low13 = InterleaveLow(row1, row3), high13 = InterleaveHigh(row1, row3);
        row0 = InterleaveLow(low02, low13);
        row1 = InterleaveHigh(low02, low13);
        row2 = InterleaveLow(high02, high13);
        row3 = InterleaveHigh(high02, high13);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> InterleaveLow(Vector128<float> even, Vector128<float> odd)
    {
        if (Sse.IsSupported)
            return Sse.UnpackLow(even, odd);
        if (AdvSimd.Arm64.IsSupported)
            return AdvSimd.Arm64.ZipLow(even, odd);
        return Vector128.Create(even.GetElement(0), odd.GetElement(0), even.GetElement(1), odd.GetElement(1));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> InterleaveHigh(Vector128<float> even, Vector128<float> odd)
    {
        if (Sse.IsSupported)
            return Sse.UnpackHigh(even, odd);
        if (AdvSimd.Arm64.IsSupported)
            return AdvSimd.Arm64.ZipHigh(even, odd);
        return Vector128.Create(even.GetElement(2), odd.GetElement(2), even.GetElement(3), odd.GetElement(3));
    }
}
