using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;

namespace XComposer2.Native.Cpu;

/// <summary>The instructions that multiply 8-bit integers and add four products to a 32-bit sum. All give the same integers.</summary>
public enum DotInstructions
{
    /// <summary>None that is fast: integer weights are multiplied as floats.</summary>
    None,

    /// <summary>AVX2: vpmaddubsw for 4-bit weights, vpmaddwd for 8-bit ones.</summary>
    Avx2,

    /// <summary>The same on 512 bits (AVX-512 BW).</summary>
    Avx512,

    /// <summary>AVX-VNNI: vpdpbusd on 256 bits.</summary>
    AvxVnni,

    /// <summary>Arm's dot product: sdot on 128 bits.</summary>
    ArmDot,
}

/// <summary>Which of them this processor has.</summary>
public static class DotInstructionSets
{
    /// <summary>The fastest.</summary>
    public static DotInstructions Best =>
        IsSupported(DotInstructions.AvxVnni) ? DotInstructions.AvxVnni
        : IsSupported(DotInstructions.Avx512) ? DotInstructions.Avx512
        : IsSupported(DotInstructions.Avx2) ? DotInstructions.Avx2
        : IsSupported(DotInstructions.ArmDot) ? DotInstructions.ArmDot
        : DotInstructions.None;

    public static bool IsSupported(this DotInstructions instructions) => instructions switch
    {
        DotInstructions.None => true,
        DotInstructions.Avx2 => Avx2.IsSupported && Fma.IsSupported,
        DotInstructions.Avx512 => Avx512BW.IsSupported && Avx512F.IsSupported,
        DotInstructions.AvxVnni => AvxVnni.IsSupported && Fma.IsSupported,
        DotInstructions.ArmDot => Dp.IsSupported,
        _ => false,
    };

    /// <summary>For people.</summary>
    public static string Name(this DotInstructions instructions) => instructions switch
    {
        DotInstructions.Avx2 => "AVX2",
        DotInstructions.Avx512 => "AVX-512 BW",
        DotInstructions.AvxVnni => "AVX-VNNI",
        DotInstructions.ArmDot => "Arm dot product",
        _ => "none",
    };

    /// <summary>Outputs of a strip of packed weights: the 32-bit sums of one vector.</summary>
    internal static int Lanes(this DotInstructions instructions) => instructions switch
    {
        DotInstructions.Avx512 => DotAvx512.Lanes,
        DotInstructions.Avx2 or DotInstructions.AvxVnni => DotAvx2.Lanes,
        _ => DotArm.Lanes,
    };

    /// <summary>What is added to a signed 8-bit weight when it is packed.</summary>
    internal static int ByteZero(this DotInstructions instructions) => instructions == DotInstructions.ArmDot ? DotArm.ByteZero : DotAvx2.ByteZero;

    /// <summary>Activations for 8-bit weights are 16-bit pairs (<see cref="QuantizedRows"/>).</summary>
    internal static bool WidensBytes(this DotInstructions instructions) => instructions is DotInstructions.Avx2 or DotInstructions.Avx512;
}
