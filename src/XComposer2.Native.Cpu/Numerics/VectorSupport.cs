using System.Globalization;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace XComposer2.Native.Cpu;

/// <summary>Vector widths of the program and of the processor. They differ if the program was compiled ahead of time for an older processor, or if a
/// setting of the .NET runtime disables instructions.</summary>
/// <param name="ProgramBits">Widest vectors that the program uses: 128, 256 or 512.</param>
/// <param name="ProcessorBits">Widest vectors of the processor and the operating system.</param>
/// <param name="IsCompiledAhead">Whether the program was compiled ahead of time (NativeAOT).</param>
public readonly record struct VectorSupport(int ProgramBits, int ProcessorBits, bool IsCompiledAhead)
{
    // CPUID leaf 1, ECX; leaf 7, EBX.
    private const int OsXsave = 1 << 27, Avx = 1 << 28, Avx2 = 1 << 5;
    private const int Avx512 = (1 << 16) | (1 << 17) | (1 << 28) | (1 << 30) | (1 << 31);

    // State components of XSAVE: upper halves of the ymm registers, and the zmm registers from 16 on.
    private const int YmmState = 2, ZmmState = 7, FeatureLeaf = 7, StateLeaf = 13;

    /// <summary>CPUID of a leaf and a subleaf.</summary>
    public delegate (int Eax, int Ebx, int Ecx, int Edx) Identify(int leaf, int subleaf);

    /// <summary>This program on this processor.</summary>
    public static VectorSupport Current
    {
        get
        {
            int program = (int)VectorWidth.Best.Resolve();
            bool isCompiledAhead = !RuntimeFeature.IsDynamicCodeCompiled;
            // The just-in-time compiler prefers 256 bits on processors whose clock drops with 512.
            bool isPreference = !isCompiledAhead && Avx512F.IsSupported && program == 256;
            int processor = X86Base.IsSupported && !isPreference ? Detect(X86Base.CpuId) : program;
            return new VectorSupport(program, Math.Max(program, processor), isCompiledAhead);
        }
    }

    /// <summary>Whether the processor has wider vectors than the program uses.</summary>
    public bool IsNarrow => ProgramBits < ProcessorBits;

    /// <summary>Explains the difference and its remedy in one sentence; null if there is none.</summary>
    public string? Warning => !IsNarrow ? null : string.Create(
        CultureInfo.InvariantCulture,
        $"this program uses {ProgramBits}-bit vectors, the processor has {ProcessorBits}-bit vectors, so the CPU computes more slowly than it could; {Remedy}");

    private string Remedy => IsCompiledAhead
        ? $"publish the program with the property IlcInstructionSet=x86-64-v{(ProcessorBits == 512 ? 4 : 3)}"
        : "unset the DOTNET_Enable... variables that disable AVX2 or AVX-512";

    /// <summary>Widest vectors for which the processor has all instructions that .NET requires, and whose registers the operating system saves.</summary>
    /// <param name="identify">CPUID of an x86 processor.</param>
    /// <returns>128, 256 or 512.</returns>
    public static int Detect(Identify identify)
    {
        ArgumentNullException.ThrowIfNull(identify);
        if (identify(0, 0).Eax < StateLeaf || (identify(1, 0).Ecx & (OsXsave | Avx)) != (OsXsave | Avx))
            return 128;
        int features = identify(FeatureLeaf, 0).Ebx;
        if ((features & Avx2) == 0 || !IsSaved(identify, YmmState))
            return 128;
        return (features & Avx512) == Avx512 && IsSaved(identify, ZmmState) ? 512 : 256;
    }

    // The size of the enabled state ends after its last component.
    private static bool IsSaved(Identify identify, int component)
    {
        (int sizeBytes, int offsetBytes, _, _) = identify(StateLeaf, component);
        return sizeBytes > 0 && identify(StateLeaf, 0).Ebx >= offsetBytes + sizeBytes;
    }
}
