namespace XComposer2.Native.Cpu;

/// <summary>Stored element type, known while compiling. Implementations are empty structs.</summary>
internal unsafe interface IFloatElement
{
    static abstract int Bytes { get; }

    /// <summary>One vector of elements from <paramref name="source"/> on.</summary>
    static abstract TVector Load<TSimd, TVector>(byte* source)
        where TSimd : struct, ISimd<TVector>
        where TVector : struct;

    /// <summary>Elements in one 32-bit word: 1 or 2.</summary>
    static abstract int PerWord { get; }

    /// <summary>The first element of each word.</summary>
    static abstract TVector First<TSimd, TVector>(TVector words)
        where TSimd : struct, ISimd<TVector>
        where TVector : struct;

    /// <summary>The last element of each word: the first where there is one.</summary>
    static abstract TVector Last<TSimd, TVector>(TVector words)
        where TSimd : struct, ISimd<TVector>
        where TVector : struct;

    /// <summary>The elements themselves where they are fp32, else a copy of them in <paramref name="scratch"/>.</summary>
    static abstract float* AsFloats<TSimd, TVector>(nint source, int count, float* scratch)
        where TSimd : struct, ISimd<TVector>
        where TVector : struct;
}
