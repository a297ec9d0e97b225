using XComposer2.Native.Cuda;
using XComposer2.Native.Graph;
using XComposer2.Native.Kernels;
using XComposer2.Native.Model;
using Xunit;

namespace XComposer2.Native.UnitTests;

public sealed class CaseCatalogTests
{
    private const string Preset = "internlm-xcomposer2-vl-7b";

    private static readonly DeviceFacts h100 = new(new ComputeCapability(9, 0), 132), a100 = new(new ComputeCapability(8, 0), 108), turing = new(new ComputeCapability(7, 5), 46);

    public static TheoryData<string, DType> Models
    {
        get
        {
            TheoryData<string, DType> models = [];
            foreach (string name in ModelPresets.Names)
            {
                models.Add(name, DType.BF16);
                models.Add(name, DType.F16);
            }

            return models;
        }
    }

    /// <summary>A new kernel cannot be forgotten.</summary>
    [Theory]
    [MemberData(nameof(Models))]
    public void Every_kernel_of_the_tree_has_a_case(string preset, DType storage)
    {
        string root = TestPaths.Repository("kernels");
        string[] files = [.. Directory.GetFiles(root, "*.cu", SearchOption.AllDirectories).Select(file => Path.GetRelativePath(root, file).Replace('\\', '/')).Order(StringComparer.Ordinal)];
        foreach (CaseSizes counts in (CaseSizes[])[CaseSizes.Full, CaseSizes.Quick])
            Assert.Equal(
                files,
                Cases(preset, storage, h100, counts).Concat(Cases(preset, storage, a100, counts)).Concat(TrainingCases(preset, counts)).Select(item => item.Definition.Source).Distinct().Order(StringComparer.Ordinal));
    }

    /// <summary>And neither a specialisation: tiles of prefill aside, which the case chooses.</summary>
    [Theory]
    [MemberData(nameof(Models))]
    public void Every_specialisation_has_a_case(string preset, DType storage)
    {
        KernelDefinition[] found = [.. Cases(preset, storage, h100, CaseSizes.Full).Select(item => WithoutTile(item.Definition))];
        Assert.All(ModelCatalog.KernelsOf(ModelPresets.Find(preset), storage, h100.Capability), definition => Assert.Contains(WithoutTile(definition), found));
    }

    [Fact]
    public void Every_case_says_what_it_does_in_a_way_of_its_own()
    {
        // Sixteen bits, eight bits; with Partial LoRA on some rows, on none, and without it.
        string[] names = [.. Cases(Preset, DType.BF16, h100, CaseSizes.Full).Select(item => item.Name)];
        Assert.Equal(names.Length, names.Distinct().Count());
        Assert.Contains("linear_decode 28672x4096 int8, gated, normed, 8 rows", names);
        Assert.Contains("linear_decode 92544x4096, f32 out, 1 row", names);
        Assert.Contains("linear_wgmma 6144x4096, rope and cache, lora 256 on 1225, 2048 rows", names);
        Assert.Contains("linear_wgmma 6144x4096, rope and cache, lora 256 on 0, 2048 rows", names);
        Assert.Contains("linear_wgmma 6144x4096, rope and cache, 2048 rows", names);
        Assert.Contains("linear_prefill 4096x14336 int8, residual, lora 256 on 512, 512 rows", names);
        Assert.Contains("linear_decode 28672x4096 int4 by 128, gated, normed, 1 row", names);
        Assert.Contains("decode_attention 32/8 heads of 128, 1 sequence of 4096", names);
        Assert.Contains("decode_attention 32/8 heads of 128, 1 sequence of 4096, int8 cache", names);
        Assert.Contains("prefill_attention 32/8 heads of 128, 64 rows up to 4096", names);
        Assert.Contains("linear_wgmma 4096x1024, bias, quickgelu, 1226 rows", names);
        Assert.Contains("linear_wgmma 4096x1024, bias, gelu, 1225 rows", names);
        Assert.Contains("vision_attention 16 heads of 64, 1226 tokens", names);
        Assert.Contains("sample_token 8 rows of 92544, top-k 40, top-p 0.8", names);
        Assert.Contains("read_stream 1024 MiB", names);
    }

    [Fact]
    public void Operands_lie_side_by_side_and_can_be_filled()
    {
        foreach (KernelCase item in (KernelCase[])[.. Cases(Preset, DType.BF16, h100, CaseSizes.Full), .. Cases(Preset, DType.F16, turing, CaseSizes.Quick)])
        {
            long endBytes = 0;
            foreach (Operand operand in item.Operands)
            {
                Assert.True(operand.OffsetBytes >= endBytes && operand.OffsetBytes % 256 == 0, item.Name);
                Assert.Equal(operand.Content == OperandContent.Given ? operand.LengthBytes : 0, operand.Given.Length);
                endBytes = operand.OffsetBytes + operand.LengthBytes;
            }

            Assert.True(endBytes <= item.MemoryBytes, item.Name);
            Assert.True(item.Cost.Bytes > 0, item.Name);
            Assert.Equal(item.Definition.BlockThreads, item.Geometry.Block.X);
            Assert.Equal(item.Definition.DynamicSharedBytes, item.Geometry.DynamicSharedBytes);
            Assert.Contains(item.Operands, operand => operand.Content is OperandContent.Result or OperandContent.Zeros or OperandContent.Given);
        }
    }

    /// <summary>Where all operands are read or written once, they are what the twin declares.</summary>
    [Theory]
    [InlineData("linear_decode 4096x14336, residual, 1 row", 2 * 4096)] // no norm, so no gain
    // Modality of rows; text rows, which are not read; parts of 64 tiles and their counters.
    [InlineData("lora_down_wgmma 256x4096, 2048 rows, 1225 of them visual", (2048 * 4) + ((2048 - 1225) * 4096 * 2) + (64 * 2 * 32768) + 1536)]
    [InlineData("layer_norm 1226 rows of 1024 to bf16", 0)]
    [InlineData("read_stream 1024 MiB", 0)]
    public void Declared_bytes_are_those_of_the_operands(string name, long undeclaredBytes)
    {
        KernelCase item = Cases(Preset, DType.BF16, h100, CaseSizes.Full).Single(found => found.Name == name);
        // The gain of a linear decode case is there whether or not it is read.
        long gainBytes = name.StartsWith("linear_decode", StringComparison.Ordinal) ? (2L * 14336) - undeclaredBytes : 0;
        Assert.Equal(item.Operands.Sum(operand => operand.LengthBytes) - undeclaredBytes - gainBytes, item.Cost.Bytes);
    }

    /// <summary>Text costs no bytes and no operations of Partial LoRA.</summary>
    [Fact]
    public void Partial_lora_costs_where_it_is()
    {
        Dictionary<string, KernelCost> costs = Cases(Preset, DType.BF16, h100, CaseSizes.Full).ToDictionary(item => item.Name, item => item.Cost);
        Assert.Equal(costs["linear_wgmma 6144x4096, rope and cache, 2048 rows"], costs["linear_wgmma 6144x4096, rope and cache, lora 256 on 0, 2048 rows"]);
        KernelCost visual = costs["linear_wgmma 6144x4096, rope and cache, lora 256 on 1225, 2048 rows"];
        KernelCost text = costs["linear_wgmma 6144x4096, rope and cache, 2048 rows"];
        Assert.Equal((2L * 256 * (6144 + 1225), 2L * 1225 * 256 * 6144), (visual.Bytes - text.Bytes, visual.Flops - text.Flops));
    }

    [Fact]
    public void Before_sm_80_there_is_no_bf16_and_all_else_is_there()
    {
        Assert.DoesNotContain(ModelCatalog.KernelsOf(ModelPresets.Find(Preset), DType.BF16, turing.Capability), definition => !definition.Serves(turing.Capability));
        Assert.Equal(
            Cases(Preset, DType.F16, h100, CaseSizes.Full).Select(item => item.Name.Replace("linear_wgmma", "linear_prefill", StringComparison.Ordinal).Replace("_wgmma", "", StringComparison.Ordinal)).Order(StringComparer.Ordinal),
            Cases(Preset, DType.F16, turing, CaseSizes.Full).Select(item => item.Name).Order(StringComparer.Ordinal));
    }

    private static IReadOnlyList<KernelCase> Cases(string preset, DType storage, DeviceFacts device, CaseSizes counts) =>
        CaseCatalog.For(ModelCatalog.KernelsOf(ModelPresets.Find(preset), storage, device.Capability), device, counts);

    // Training stores in bf16. Its products are those that no answer needs.
    private static IEnumerable<KernelCase> TrainingCases(string preset, CaseSizes counts)
    {
        ModelConfig config = ModelPresets.Find(preset);
        KernelDefinition[] answering = [.. ModelCatalog.KernelsOf(config, DType.BF16, a100.Capability)], training = [.. ModelCatalog.TrainingKernelsOf(config, DType.BF16, a100.Capability)];
        return CaseCatalog.For([.. answering, .. training.Except(answering)], a100, counts).Where(item => item.Definition.Source.StartsWith("training/", StringComparison.Ordinal));
    }

    private static KernelDefinition WithoutTile(KernelDefinition definition) => definition switch
    {
        LinearPrefill linear => new LinearPrefill(linear.Form, PrefillTile.S1, linear.LoraRank),
        LinearWgmma linear => new LinearPrefill(linear.Form, PrefillTile.S1, linear.LoraRank),
        _ => definition,
    };
}
