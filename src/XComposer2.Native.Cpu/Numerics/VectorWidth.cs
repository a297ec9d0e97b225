using System.Runtime.Intrinsics;

namespace XComposer2.Native.Cpu;

/// <summary>Vector width a kernel runs at. Widths the processor lacks still give right results, slowly.</summary>
public enum VectorWidth
{
    /// <summary>The widest that the processor has and the sizes allow.</summary>
    Best = 0,
    Bits128 = 128,
    Bits256 = 256,
    Bits512 = 512,
}

public static class VectorWidthExtensions
{
    /// <summary>A concrete width: <paramref name="width"/> or the processor's best, made narrower until its floats divide <paramref name="divides"/>.</summary>
    /// <param name="width">What was asked for.</param>
    /// <param name="divides">A count of floats that must be whole vectors, a multiple of 4; 0 where any width will do.</param>
    public static VectorWidth Resolve(this VectorWidth width, int divides = 0)
    {
        int bits = width switch
        {
            VectorWidth.Bits128 or VectorWidth.Bits256 or VectorWidth.Bits512 => (int)width,
            _ => Vector512.IsHardwareAccelerated ? 512 : Vector256.IsHardwareAccelerated ? 256 : 128,
        };
        while (bits > 128 && divides % (bits / 32) != 0)
            bits /= 2;
        return (VectorWidth)bits;
    }
}
