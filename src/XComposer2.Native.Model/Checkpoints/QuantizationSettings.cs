using System.Text.Json;

namespace XComposer2.Native.Model;

/// <summary>
/// Quantisation settings of a checkpoint: <c>quantization_config</c> of config.json, or the files of AutoGPTQ (quantize_config.json) and
/// AutoAWQ (quant_config.json), as lmdeploy's <c>lite auto_awq</c> writes them too. 4-bit AutoGPTQ, AWQ and bitsandbytes are supported; everything else is rejected by name.
/// </summary>
/// <param name="GroupSize">Inputs of a group; null if the whole row is one group or no size is stated.</param>
/// <param name="ZeroOffset">Added to stored zero points: the first version of AutoGPTQ's layout stores them less one, the second (gptq_v2) as they are.</param>
internal sealed record QuantizationSettings(int? GroupSize, int ZeroOffset = 1)
{
    private const string SecondVersion = "gptq_v2";

    private const string Field = "quantization_config", GptqName = "quantize_config.json", AwqName = "quant_config.json";
    private const string Expected = "gptq (AutoGPTQ) or awq, 4 bits, bitsandbytes, or no quantisation";

    /// <exception cref="CheckpointException">The quantisation is unsupported, or the files contradict each other.</exception>
    public static QuantizationSettings Read(string directory, string configPath, ReadOnlySpan<byte> config)
    {
        using JsonDocument document = ConfigSection.ParseDocument(configPath, config);
        ConfigSection section = new ConfigSection(configPath, "", document.RootElement).Section(Field);
        RequireKnown(section);
        int? stated = GroupSizeOf(section) ?? AwqGroupSize(directory);
        string gptqPath = Path.Combine(directory, GptqName);
        if (!File.Exists(gptqPath))
            return new QuantizationSettings(stated, ZeroOffsetOf(section));
        using FileBytes bytes = FileBytes.Read(gptqPath, CheckpointFolder.MaximumConfigBytes, "configuration");
        using JsonDocument gptq = ConfigSection.ParseDocument(gptqPath, bytes.Whole());
        ConfigSection beside = new(gptqPath, "", gptq.RootElement);
        RequireKnown(beside);
        int? size = GroupSizeOf(beside);
        if (section.Exists && stated is not null && size is not null && size != stated)
            throw beside.Bad("group_size", $"{stated}, as {Field} in config.json says", $"{size}");
        return new QuantizationSettings(size ?? stated, Math.Min(ZeroOffsetOf(section), ZeroOffsetOf(beside)));
    }

    private static void RequireKnown(ConfigSection section)
    {
        string? method = section.Text("quant_method");
        if (section.Truth("load_in_4bit") == true || section.Truth("load_in_8bit") == true || section.Truth("_load_in_4bit") == true || section.Truth("_load_in_8bit") == true)
            method ??= "bitsandbytes";
        // What its weights are, the tensors say.
        if (method == "bitsandbytes")
            return;
        if (method is not (null or "gptq" or "awq"))
            throw section.Bad("quant_method", Expected, $"{CheckpointException.Show(method)}: {NameOf(method)} weights are not read");
        if (section.Integer("bits", 1, 64) is { } bits and not 4)
            throw section.Bad("bits", "4", $"{bits}");
        if (method == "awq" && section.Text("version") is { } version && !version.Equals("gemm", StringComparison.OrdinalIgnoreCase))
            throw section.Bad("version", "gemm", CheckpointException.Show(version));
        if (section.Text("checkpoint_format") is { } format and not ("gptq" or SecondVersion))
            throw section.Bad("checkpoint_format", $"gptq or {SecondVersion}", CheckpointException.Show(format));
        if (section.Truth("is_marlin_format") == true)
            throw section.Bad("is_marlin_format", "false: weights as AutoGPTQ packs them", "true");
    }

    /// <summary>Of AutoAWQ's own file; null where there is none.</summary>
    private static int? AwqGroupSize(string directory)
    {
        string path = Path.Combine(directory, AwqName);
        if (!File.Exists(path))
            return null;
        using FileBytes bytes = FileBytes.Read(path, CheckpointFolder.MaximumConfigBytes, "configuration");
        using JsonDocument document = ConfigSection.ParseDocument(path, bytes.Whole());
        ConfigSection root = new(path, "", document.RootElement);
        if (root.Integer("w_bit", 1, 64) is { } bits and not 4)
            throw root.Bad("w_bit", "4", $"{bits}");
        if (root.Text("version") is { } version && !version.Equals("gemm", StringComparison.OrdinalIgnoreCase))
            throw root.Bad("version", "gemm", CheckpointException.Show(version));
        return root.Integer("q_group_size", -1, int.MaxValue) is { } size and > 0 ? size : null;
    }

    private static int ZeroOffsetOf(ConfigSection section) => section.Text("checkpoint_format") == SecondVersion ? 0 : 1;

    private static int? GroupSizeOf(ConfigSection section) => section.Integer("group_size", -1, int.MaxValue) is { } size and > 0 ? size : null;

    private static string NameOf(string method) => method switch
    {
        _ => CheckpointException.Show(method)[1..^1],
    };
}
