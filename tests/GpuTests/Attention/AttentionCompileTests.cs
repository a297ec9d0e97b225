using System.Text.RegularExpressions;
using XComposer2.Native.Cuda;
using XComposer2.Native.Graph;
using XComposer2.Native.Kernels;
using Xunit;

namespace XComposer2.Native.GpuTests;

/// <summary>Resource use of the attention kernels on every architecture, as reported by the compiler: no spills, and few enough registers for the planned
/// blocks per multiprocessor. Needs NVRTC (tools/nvrtc/install.sh), no device.</summary>
public sealed partial class AttentionCompileTests
{
    private const int ThreeBlocks = 168, TwoBlocks = 255;

    public static TheoryData<string, DType> Targets => new()
    {
        { "sm_75", DType.F16 },
        { "sm_80", DType.F16 },
        { "sm_80", DType.BF16 },
        { "sm_80", DType.F32 },
        { "sm_86", DType.F16 },
        { "sm_86", DType.BF16 },
        { "sm_89", DType.F16 },
        { "sm_89", DType.BF16 },
        { "sm_90a", DType.F16 },
        { "sm_90a", DType.BF16 },
    };

    [Theory]
    [MemberData(nameof(Targets))]
    public void Vision_attention_does_not_spill(string target, DType storage)
    {
        Check(target, keys => new VisionAttention(storage, 16, 64, 1024, keys(64)), ThreeBlocks);
        Check(target, keys => new VisionAttention(storage, 16, 64, 3072, keys(64)), ThreeBlocks);
        Check(target, keys => new VisionAttention(storage, 8, 128, 1024, keys(128)), TwoBlocks);
    }

    [Theory]
    [MemberData(nameof(Targets))]
    public void Prefill_attention_does_not_spill(string target, DType storage)
    {
        Check(target, keys => new PrefillAttention(storage, new AttentionGeometry(32, 8, 128), keys(128)), TwoBlocks);
        Check(target, keys => new PrefillAttention(storage, new AttentionGeometry(16, 8, 128), keys(128)), TwoBlocks);
        Check(target, keys => new PrefillAttention(storage, new AttentionGeometry(32, 8, 64), keys(64)), ThreeBlocks);
    }

    [Theory]
    [MemberData(nameof(Targets))]
    public void Decode_attention_does_not_spill(string target, DType storage)
    {
        foreach (int group in (int[])[1, 2, 4, 8])
            Check(target, _ => new DecodeAttention(storage, new AttentionGeometry(8 * group, 8, 128)), ThreeBlocks);
        Check(target, _ => new DecodeAttention(storage, new AttentionGeometry(16, 4, 64)), ThreeBlocks);
    }

    private static void Check(string target, Func<Func<int, int>, KernelDefinition> make, int mostRegisters)
    {
        CudaTarget parsed = CudaTarget.Parse(target);
        ComputeCapability capability = new(parsed.Architecture / 10, parsed.Architecture % 10);
        KernelDefinition definition = make(headSize => FlashTile.ChooseKeys(capability, headSize));
        Assert.True(definition.Serves(capability));
        KernelProgram program = KernelProgram.Read(new EmbeddedKernelSource(typeof(KernelDefinition).Assembly), definition.Source);
        string log = LoadCompiler().Compile(program, parsed, [.. definition.Options, "--ptxas-options=-v"]).Log;
        Assert.True(log.Contains("0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads", StringComparison.Ordinal), $"{definition} for {target}: {log}");
        Match registers = RegisterCount().Match(log);
        Assert.True(registers.Success, log);
        int used = int.Parse(registers.Groups[1].ValueSpan, System.Globalization.CultureInfo.InvariantCulture);
        Assert.True(used <= mostRegisters, $"{definition} takes {used} registers for {target}, expected at most {mostRegisters}");
    }

    private static Nvrtc LoadCompiler()
    {
        const string Library = "artifacts/nvrtc/lib/libnvrtc.so.12";
        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
            if (File.Exists(Path.Combine(folder.FullName, Library))) return Nvrtc.Load(Path.Combine(folder.FullName, Library));
        Assert.Skip($"{Library} is missing: run tools/nvrtc/install.sh");
        throw new InvalidOperationException(Library);
    }

    [GeneratedRegex(@"Used (\d+) registers")]
    private static partial Regex RegisterCount();
}
