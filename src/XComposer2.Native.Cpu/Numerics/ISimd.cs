using System.Runtime.CompilerServices;

namespace XComposer2.Native.Cpu;

/// <summary>fp32 arithmetic at one vector width, so that a kernel is written once and compiled for each.
/// Implementations are empty structs: the compiler specialises every generic kernel and inlines every call.</summary>
/// <typeparam name="TVector">Vector128, Vector256 or Vector512 of float.</typeparam>
public unsafe interface ISimd<TVector>
    where TVector : struct
{
    /// <summary>Floats in one vector.</summary>
    static abstract int Count { get; }

    /// <summary>32 vector registers rather than 16: larger register blocks pay.</summary>
    static abstract bool HasManyRegisters { get; }

    static abstract TVector Load(float* source);

    /// <summary>Widens bfloat16 values; exact.</summary>
    static abstract TVector LoadBFloat16(ushort* source);

    /// <summary>Widens IEEE half values, subnormal ones included; exact.</summary>
    static abstract TVector LoadHalf(ushort* source);

    /// <summary>Widens 8-bit integers; exact.</summary>
    static abstract TVector LoadInt8(sbyte* source);

    /// <summary>16 bytes from <paramref name="source"/>, then 16 from one stride further, and so on: four floats from each of a quarter of the lanes' rows.</summary>
    static abstract TVector LoadQuads(byte* source, nint strideBytes);

    /// <summary>Widens the bfloat16 in the lower half of each 32-bit word; exact.</summary>
    static abstract TVector LowerBFloat16(TVector words);

    /// <summary>Widens the bfloat16 in the upper half of each 32-bit word; exact.</summary>
    static abstract TVector UpperBFloat16(TVector words);

    /// <summary>Widens the IEEE half in the lower half of each 32-bit word; exact.</summary>
    static abstract TVector LowerHalf(TVector words);

    /// <summary>Widens the IEEE half in the upper half of each 32-bit word; exact.</summary>
    static abstract TVector UpperHalf(TVector words);

    /// <summary>Widens one of the four 8-bit integers of each 32-bit word, 0 being the lowest; exact.</summary>
    static abstract TVector Int8OfWord(TVector words, int place);

    /// <summary>Within each four lanes: even 0, odd 0, even 1, odd 1.</summary>
    static abstract TVector InterleaveLower(TVector even, TVector odd);

    /// <summary>Within each four lanes: even 2, odd 2, even 3, odd 3.</summary>
    static abstract TVector InterleaveUpper(TVector even, TVector odd);

    static abstract void Store(TVector value, float* destination);

    /// <summary>Rounds to the nearest bfloat16, ties to even. NaN is stored as some NaN.</summary>
    static abstract void StoreBFloat16(TVector value, ushort* destination);

    static abstract TVector Broadcast(float value);

    static abstract TVector Add(TVector left, TVector right);

    static abstract TVector Subtract(TVector left, TVector right);

    static abstract TVector Multiply(TVector left, TVector right);

    static abstract TVector Divide(TVector left, TVector right);

    static abstract TVector SquareRoot(TVector value);

    /// <summary>left * right + addend, fused where the processor has it.</summary>
    static abstract TVector MultiplyAdd(TVector left, TVector right, TVector addend);

    /// <summary>The larger of each pair; either one where a value is NaN.</summary>
    static abstract TVector Max(TVector left, TVector right);

    /// <summary>Nearest whole number, ties to even.</summary>
    static abstract TVector Round(TVector value);

    /// <summary>value * 2^exponent for whole exponents from -127 (which may give zero) to 127.</summary>
    static abstract TVector ScaleByPowerOfTwo(TVector value, TVector exponent);

    /// <summary>Per lane: left below right ? whenLess : otherwise. False for NaN.</summary>
    static abstract TVector SelectLess(TVector left, TVector right, TVector whenLess, TVector otherwise);

    static abstract float Sum(TVector value);

    static abstract float MaxAcross(TVector value);

    static abstract float First(TVector value);
}

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
