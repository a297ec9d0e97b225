using XComposer2.Native.Graph;
using XComposer2.Native.Model;
using Xunit;

namespace XComposer2.Native.UnitTests;

public sealed class GptqCheckpointTests : IDisposable
{
    private const string Module = "model.layers.0.attention.wo";
    private const string Prefix = Module + ".linear.";

    private readonly TinyCheckpoint tiny = new();
    private readonly Dictionary<string, TinyTensor> tensors = TinyCheckpoint.Tensors();

    public GptqCheckpointTests()
    {
        tensors.Remove(Module + ".weight");
        tensors[Prefix + "qweight"] = TinyTensor.I32(new Shape(2, 16), i => unchecked(i * 0x12345679));
        tensors[Prefix + "qzeros"] = TinyTensor.I32(new Shape(2, 2), _ => 0x77777777);
        tensors[Prefix + "scales"] = TinyTensor.F16(new Shape(2, 16), i => i + 1);
        tensors[Prefix + "g_idx"] = TinyTensor.I32(new Shape(16), i => i / 8);
        tensors[Prefix + "bias"] = TinyTensor.F16(new Shape(16), _ => 0);
    }

    public void Dispose() => tiny.Dispose();

    [Fact]
    public void Without_a_group_index_groups_are_consecutive()
    {
        float[] indexed = Weight();
        Assert.Equal((((0 * 0x12345679) & 15) - 8) * 1f, indexed[0]);
        Assert.Equal((((1 * 0x12345679) & 15) - 8) * 2f, indexed[16]);
        tensors.Remove(Prefix + "g_idx");
        Assert.Equal(indexed, Weight());
        tiny.WriteText("quantize_config.json", """{"bits":4,"group_size":8,"desc_act":false,"model_name_or_path":null}""");
        Assert.Equal(indexed, Weight());
    }

    /// <summary>The second version of the layout stores zero points as they are.</summary>
    [Fact]
    public void Zero_points_of_the_second_version_are_not_less_one()
    {
        float[] first = Weight();
        tensors[Prefix + "qzeros"] = TinyTensor.I32(new Shape(2, 2), _ => unchecked((int)0x88888888));
        tiny.WriteText("quantize_config.json", """{"bits":4,"group_size":8,"checkpoint_format":"gptq_v2"}""");
        Assert.Equal(first, Weight());
        using Checkpoint checkpoint = Open();
        Assert.True(checkpoint.ServeIntegers(_ => true) && checkpoint.TryGetFormat(Module + ".weight", out WeightFormat format) && format == WeightFormat.Grouped(4, 8));
    }

    [Fact]
    public void A_bias_that_is_not_zero_is_served_and_refused_by_validation()
    {
        tensors[Prefix + "bias"] = TinyTensor.F16(new Shape(16), i => i == 3 ? 2 : 0);
        using Checkpoint checkpoint = Open();
        Assert.True(checkpoint.TryGet(Module + ".bias", out HostTensor bias));
        Assert.Equal(2f, HostTensorValues.ToFloats(bias)[3]);
        TinyCheckpoint.Refused(() => CheckpointValidator.Validate(checkpoint), Module + ".bias", "no bias");
    }

    [Fact]
    public void Broken_parts_are_named()
    {
        Refused("qzeros", null, "qzeros", "no such tensor");
        Refused("scales", null, "scales", "no such tensor");
        Refused("scales", TinyTensor.F32(new Shape(2, 16), _ => 1), "scales", "F16");
        Refused("scales", TinyTensor.F16(new Shape(2, 15), _ => 1), "scales", "[groups, 16]");
        Refused("qzeros", TinyTensor.I32(new Shape(2, 3), _ => 1), "qzeros", "[2, 2]");
        Refused("g_idx", TinyTensor.I32(new Shape(15), _ => 1), "g_idx", "[16]");
        Refused("qweight", TinyTensor.F32(new Shape(2, 16), _ => 1), "qweight", "I32");
        Refused("qweight", TinyTensor.I32(new Shape(0, 16), _ => 1), "qweight", "sizes");
        Refused("bias", TinyTensor.I32(new Shape(16), _ => 1), "bias", "floating");
        tiny.WriteText("quantize_config.json", """{"bits":8}""");
        Refused("none", null, "quantize_config.json", "bits");
        tiny.WriteText("quantize_config.json", """{"bits":4,"group_size":128}""");
        Refused("none", null, "scales", "groups of 128");
        tiny.WriteText("quantize_config.json", """{"bits":4,"checkpoint_format":"marlin"}""");
        Refused("none", null, "quantize_config.json", "marlin");
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(2)]
    [InlineData(int.MaxValue)]
    [InlineData(int.MinValue)]
    public void A_group_outside_of_the_scales_is_an_error_and_no_stray_read(int group)
    {
        tensors[Prefix + "g_idx"] = TinyTensor.I32(new Shape(16), i => i == 9 ? group : 0);
        using Checkpoint checkpoint = Open();
        TinyCheckpoint.Refused(() => checkpoint.TryGet(Module + ".weight", out _), "g_idx", $"{group}");
    }

    [Fact]
    public void Scales_that_are_no_numbers_are_found()
    {
        tensors[Prefix + "scales"] = TinyTensor.F16(new Shape(2, 16), i => i == 5 ? float.NaN : 1);
        using Checkpoint checkpoint = Open();
        TinyCheckpoint.Refused(() => CheckpointValidator.ValidateAllValues(checkpoint, null, TestContext.Current.CancellationToken), Module + ".weight', element 5");
    }

    private float[] Weight()
    {
        using Checkpoint checkpoint = Open();
        CheckpointValidator.Validate(checkpoint);
        Assert.True(checkpoint.TryGet(Module + ".weight", out HostTensor weight));
        return HostTensorValues.ToFloats(weight);
    }

    private Checkpoint Open()
    {
        tiny.WriteSafetensors("gptq_model-4bit-8g.safetensors", tensors);
        return tiny.Open();
    }

    private void Refused(string part, TinyTensor? replacement, params string[] words)
    {
        tensors.TryGetValue(Prefix + part, out TinyTensor? original);
        if (replacement is null)
            tensors.Remove(Prefix + part);
        else
            tensors[Prefix + part] = replacement;
        TinyCheckpoint.Refused(() => Open().Dispose(), words);
        if (original is not null)
            tensors[Prefix + part] = original;
    }
}
