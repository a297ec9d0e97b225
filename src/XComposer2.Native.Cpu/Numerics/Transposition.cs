using System.Runtime.CompilerServices;

namespace XComposer2.Native.Cpu;

/// <summary>Transposition in registers.</summary>
internal static class Transposition
{
    /// <summary>Transposes four by four floats within each four lanes: vector i becomes what were lanes i of each four.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Quads<TSimd, TVector>(ref TVector row0, ref TVector row1, ref TVector row2, ref TVector row3)
        where TSimd : struct, ISimd<TVector>
        where TVector : struct
    {
        TVector lower02 = TSimd.InterleaveLower(row0, row2), upper02 = TSimd.InterleaveUpper(row0, row2);
        TVector lower13 = TSimd.InterleaveLower(row1, row3), upper13 = TSimd.InterleaveUpper(row1, row3);
        row0 = TSimd.InterleaveLower(lower02, lower13);
        row1 = TSimd.InterleaveUpper(lower02, lower13);
        row2 = TSimd.InterleaveLower(upper02, upper13);
        row3 = TSimd.InterleaveUpper(upper02, upper13);
    }
}
