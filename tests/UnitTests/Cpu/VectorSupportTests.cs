using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using XComposer2.Native.Cpu;
using Xunit;

namespace XComposer2.Native.UnitTests;

public sealed class VectorSupportTests
{
    private const int XsaveAndAvx = (1 << 27) | (1 << 28), Avx2 = 1 << 5, Avx512 = (1 << 16) | (1 << 17) | (1 << 28) | (1 << 30) | (1 << 31);

    // Bytes of the enabled state: without vectors, with ymm, with zmm.
    private const int Plain = 576, WithYmm = 832, WithZmm = 2688;

    [Theory]
    [InlineData(13, XsaveAndAvx, Avx2 | Avx512, WithZmm, 512)]
    [InlineData(13, XsaveAndAvx, Avx2 | Avx512, WithYmm, 256)]
    [InlineData(13, XsaveAndAvx, Avx2 | Avx512, Plain, 128)]
    [InlineData(13, XsaveAndAvx, Avx2 | (1 << 16), WithZmm, 256)]
    [InlineData(13, XsaveAndAvx, Avx2, WithYmm, 256)]
    [InlineData(13, XsaveAndAvx, 0, WithYmm, 128)]
    [InlineData(13, 1 << 28, Avx2 | Avx512, WithZmm, 128)]
    [InlineData(7, XsaveAndAvx, Avx2, WithYmm, 128)]
    public void Width_needs_instructions_and_saved_registers(int lastLeaf, int basics, int features, int stateBytes, int expected) =>
        Assert.Equal(expected, VectorSupport.Detect((leaf, subleaf) => (leaf, subleaf) switch
        {
            (0, _) => (lastLeaf, 0, 0, 0),
            (1, _) => (0, 0, basics, 0),
            (7, 0) => (0, features, 0, 0),
            (13, 0) => (0, stateBytes, 0, 0),
            (13, 2) => (256, 576, 0, 0),
            (13, 7) => (1024, 1664, 0, 0),
            _ => default,
        }));

    [Fact]
    public void Processor_of_this_machine_has_the_vectors_of_the_runtime()
    {
        VectorSupport current = VectorSupport.Current;
        Assert.Equal(Vector512.IsHardwareAccelerated ? 512 : Vector256.IsHardwareAccelerated ? 256 : 128, current.ProgramBits);
        Assert.False(current.IsCompiledAhead);
        if (X86Base.IsSupported)
            Assert.InRange(VectorSupport.Detect(X86Base.CpuId), current.ProgramBits, 512);
    }

    [Theory]
    [InlineData(128, 512, true, "IlcInstructionSet=x86-64-v4")]
    [InlineData(128, 256, true, "IlcInstructionSet=x86-64-v3")]
    [InlineData(256, 512, true, "IlcInstructionSet=x86-64-v4")]
    [InlineData(128, 256, false, "DOTNET_Enable")]
    public void Warning_states_widths_and_remedy(int program, int processor, bool isCompiledAhead, string remedy)
    {
        string warning = new VectorSupport(program, processor, isCompiledAhead).Warning!;
        Assert.Contains($"uses {program}-bit vectors, the processor has {processor}-bit vectors", warning, StringComparison.Ordinal);
        Assert.Contains(remedy, warning, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(128)]
    [InlineData(512)]
    public void Equal_widths_have_no_warning(int bits) => Assert.Null(new VectorSupport(bits, bits, true).Warning);
}
