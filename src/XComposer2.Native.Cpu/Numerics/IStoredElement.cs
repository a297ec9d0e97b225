namespace XComposer2.Native.Cpu;

/// <summary>Stored element type of a linear's weights, known while compiling. Implementations are empty structs.</summary>
internal unsafe interface IStoredElement
{
    static abstract int Bytes { get; }

    /// <summary>One vector of elements from <paramref name="source"/> on.</summary>
    static abstract TVector Load<TSimd, TVector>(byte* source)
        where TSimd : struct, ISimd<TVector>
        where TVector : struct;

    /// <summary>Elements in one 32-bit word: 1, 2 or 4.</summary>
    static abstract int PerWord { get; }

    /// <summary>The element at this place of each word.</summary>
    /// <param name="words">As many words as a vector has floats.</param>
    /// <param name="place">0 to <see cref="PerWord"/>, a constant.</param>
    static abstract TVector OfWord<TSimd, TVector>(TVector words, int place)
        where TSimd : struct, ISimd<TVector>
        where TVector : struct;
}
