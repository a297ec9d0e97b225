namespace XComposer2.Native.Cpu;

/// <summary>Integer dot products of one instruction set: a vector holds a 32-bit sum for each output of a strip, and each of its words four weights of that output.
/// Implementations are empty structs. Results are exact, so all sets agree to the bit.</summary>
/// <typeparam name="TFloat">Vector of floats, one for each output.</typeparam>
/// <typeparam name="TInt">Vector of 32-bit integers, one for each output.</typeparam>
internal unsafe interface IDotSimd<TFloat, TInt>
    where TFloat : struct
    where TInt : struct
{
    /// <summary>Outputs of a strip.</summary>
    static abstract int Lanes { get; }

    /// <summary>Added to a signed 8-bit weight when it is packed, and subtracted again as its zero point.</summary>
    static abstract int ByteZero { get; }

    /// <summary>Bytes of four activations for 8-bit weights.</summary>
    static abstract int ByteStepBytes { get; }

    static abstract TInt Zero { get; }

    static abstract TInt Load(byte* source);

    static abstract TInt Broadcast(int word);

    /// <summary>The lower four bits of each byte, unsigned.</summary>
    static abstract TInt LowNibbles(TInt weights);

    /// <summary>The upper four bits of each byte, unsigned.</summary>
    static abstract TInt HighNibbles(TInt weights);

    /// <summary>sum + four products of each word. At most eight in a row: some sets have 16-bit sums here, and 8 x 2 x 15 x 127 is within them.</summary>
    static abstract TInt AddNibbles(TInt sum, TInt nibbles, TInt activations);

    /// <summary>The 32-bit sums of what <see cref="AddNibbles"/> summed.</summary>
    static abstract TInt FinishNibbles(TInt sum);

    /// <summary>The first form of packed 8-bit weights that <see cref="AddBytes"/> takes.</summary>
    static abstract TInt FirstBytes(TInt weights);

    /// <summary>The second form; without meaning where one is enough.</summary>
    static abstract TInt SecondBytes(TInt weights);

    /// <summary>sum + four products of each word.</summary>
    /// <param name="sum">32-bit sums.</param>
    /// <param name="first"><see cref="FirstBytes"/>.</param>
    /// <param name="second"><see cref="SecondBytes"/>.</param>
    /// <param name="activations">Four of them, <see cref="ByteStepBytes"/> bytes.</param>
    static abstract TInt AddBytes(TInt sum, TInt first, TInt second, byte* activations);

    /// <summary>sum + zeros * factor; zeros are 0 to 255, the factor fits in 16 bits.</summary>
    static abstract TInt AddProduct(TInt sum, TInt zeros, TInt factor);

    /// <summary>Unsigned bytes as 32-bit integers.</summary>
    static abstract TInt LoadBytes(byte* source);

    static abstract TFloat ToFloat(TInt value);
}
