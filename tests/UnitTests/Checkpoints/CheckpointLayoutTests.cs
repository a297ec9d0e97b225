using System.Text;
using XComposer2.Native.Graph;
using XComposer2.Native.Model;
using Xunit;

namespace XComposer2.Native.UnitTests;

/// <summary>Checkpoint folders in practice: read, or rejected by name.</summary>
public sealed class CheckpointLayoutTests : IDisposable
{
    private const string FirstShard = "model-00001-of-00002.safetensors", SecondShard = "model-00002-of-00002.safetensors";

    private readonly TinyCheckpoint tiny = new();

    public void Dispose() => tiny.Dispose();

    [Theory]
    [InlineData("model", ".safetensors", "safetensors, 2 shards without model.safetensors.index.json")]
    [InlineData("pytorch_model", ".bin", "torch .bin, 2 shards without pytorch_model.bin.index.json")]
    [InlineData("gptq_model-4bit-128g", ".safetensors", "safetensors, 2 shards without gptq_model-4bit-128g.safetensors.index.json")]
    public void Shards_without_an_index_are_read(string prefix, string extension, string layout)
    {
        tiny.WriteShards(prefix, extension, TinyCheckpoint.Tensors());
        File.Delete(tiny.PathOf($"{prefix}{extension}.index.json"));
        using Checkpoint checkpoint = tiny.Open();

        Assert.Equal(layout, checkpoint.Layout);
        CheckpointValidator.Validate(checkpoint);
    }

    [Fact]
    public void Missing_shard_of_a_set_without_an_index_is_named()
    {
        tiny.WriteShards("model", ".safetensors", TinyCheckpoint.Tensors());
        File.Delete(tiny.PathOf("model.safetensors.index.json"));
        File.Delete(tiny.PathOf(FirstShard));
        tiny.Refused("2 shards", SecondShard, $"no '{FirstShard}'");
    }

    [Fact]
    public void Quantized_shards_are_read_by_their_index()
    {
        tiny.WriteShards("gptq_model-4bit-128g", ".safetensors", TinyCheckpoint.Tensors());
        using Checkpoint checkpoint = tiny.Open();

        Assert.Equal("safetensors, 2 shards", checkpoint.Layout);
        CheckpointValidator.Validate(checkpoint);
    }

    [Fact]
    public void Unneeded_tensors_and_shards_of_an_index_may_be_missing()
    {
        tiny.WriteShards("model", ".safetensors", TinyCheckpoint.Tensors());
        string index = File.ReadAllText(tiny.PathOf("model.safetensors.index.json"));
        tiny.WriteText("model.safetensors.index.json", index.Replace("\"weight_map\":{", $"\"weight_map\":{{\"extra_head.weight\":\"{FirstShard}\",\"other\":\"model-00009-of-00009.safetensors\",", StringComparison.Ordinal));
        using Checkpoint checkpoint = tiny.Open();

        CheckpointValidator.Validate(checkpoint);
    }

    [Theory]
    [InlineData("""{"quant_method":"gptq","bits":4,"checkpoint_format":"marlin"}""", "quantization_config.checkpoint_format", "'marlin'")]
    [InlineData("""{"quant_method":"gptq","bits":8}""", "quantization_config.bits", "found 8")]
    [InlineData("""{"quant_method":"awq","bits":3}""", "quantization_config.bits", "found 3")]
    [InlineData("""{"quant_method":"awq","bits":4,"version":"gemv"}""", "quantization_config.version", "'gemv'")]
    [InlineData("""{"quant_method":"fp8"}""", "quantization_config.quant_method", "fp8 weights are not read")]
    [InlineData("""{"quant_method":"gptq","is_marlin_format":true}""", "quantization_config.is_marlin_format", "AutoGPTQ")]
    [InlineData("""{"quant_method":"gptq","group_size":32}""", "quantize_config.json", "expected 32")]
    public void Unsupported_quantisation_is_rejected_by_name(string settings, string field, string word)
    {
        tiny.WriteSafetensors("model.safetensors", TinyCheckpoint.Tensors());
        tiny.WriteText("config.json", TinyCheckpoint.ConfigJson.Replace("\"bias\":false", $"\"bias\":false,\"quantization_config\":{settings}", StringComparison.Ordinal));
        tiny.WriteText("quantize_config.json", """{"bits":4,"group_size":8}""");
        tiny.Refused(field, word);
    }

    [Fact]
    public void AutoAWQ_configurations_of_other_kernels_are_rejected()
    {
        tiny.WriteSafetensors("model.safetensors", TinyCheckpoint.Tensors());
        tiny.WriteText("quant_config.json", """{"w_bit":4,"q_group_size":128,"version":"GEMV"}""");
        tiny.Refused("quant_config.json", "version", "'GEMV'");
        tiny.WriteText("quant_config.json", """{"w_bit":3,"q_group_size":128,"version":"GEMM"}""");
        tiny.Refused("quant_config.json", "w_bit", "found 3");
    }

    /// <summary>Eight outputs of an input in a word, in the order 0, 2, 4, 6, 1, 3, 5, 7; zero points as they are. As floats and as integers.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void AWQ_packing_is_read(bool isSymmetric)
    {
        const string Prefix = "model.layers.0.attention.wo.";
        int[] order = [0, 2, 4, 6, 1, 3, 5, 7];
        Dictionary<string, TinyTensor> tensors = TinyCheckpoint.Tensors();
        tensors.Remove(Prefix + "weight");
        tensors[Prefix + "qweight"] = TinyTensor.I32(new Shape(16, 2), i => Word(place => Integer(((i % 2) * 8) + order[place], i / 2)));
        tensors[Prefix + "qzeros"] = TinyTensor.I32(new Shape(2, 2), i => Word(place => Zero(((i % 2) * 8) + order[place], i / 2)));
        tensors[Prefix + "scales"] = TinyTensor.F16(new Shape(2, 16), i => Scale(i % 16, i / 16));
        tiny.WriteSafetensors("model.safetensors", tensors);
        tiny.WriteText("quant_config.json", """{"zero_point":true,"w_bit":4,"q_group_size":8,"version":"GEMM"}""");
        using Checkpoint checkpoint = tiny.Open();
        CheckpointValidator.Validate(checkpoint);
        Assert.Equal("4-bit AWQ", checkpoint.Weights);
        Assert.True(checkpoint.TryGet(Prefix + "weight", out HostTensor floats));
        float[] found = HostTensorValues.ToFloats(floats);
        for (int i = 0; i < 256; i++)
            Assert.Equal((Integer(i / 16, i % 16) - Zero(i / 16, i % 16 / 8)) * Scale(i / 16, i % 16 / 8), found[i]);
        Assert.True(checkpoint.ServeIntegers(_ => true) && checkpoint.TryGetFormat(Prefix + "weight", out WeightFormat format) && format == WeightFormat.Grouped(4, 8, !isSymmetric));

        int Integer(int output, int input) => ((output * 7) + (input * 3)) % 16;

        int Zero(int output, int group) => isSymmetric ? 8 : (output + (5 * group)) % 16;

        float Scale(int output, int group) => 0.5f + (output * 0.25f) + group;

        static int Word(Func<int, int> nibble) => Enumerable.Range(0, 8).Aggregate(0, (word, place) => word | (nibble(place) << (4 * place)));
    }

    [Theory]
    [InlineData("model.layers.0.attention.wo.lora_A.default.weight")]
    [InlineData("base_model.model.model.layers.0.attention.wo.lora_B.weight")]
    [InlineData("model.layers.1.attention.wqkv.base_layer.weight")]
    public void Unmerged_LoRA_tensors_are_rejected(string name)
    {
        Dictionary<string, TinyTensor> tensors = TinyCheckpoint.Tensors();
        tensors[name] = TinyTensor.F32(new Shape(4, 16), _ => 1);
        tiny.WriteSafetensors("model.safetensors", tensors);
        using Checkpoint checkpoint = tiny.Open();

        Assert.False(CheckpointReport.Create(checkpoint.Config, checkpoint.Tensors).IsUsable);
        TinyCheckpoint.Refused(() => CheckpointValidator.Validate(checkpoint), name, "LoRA", "not applied", "merge it");
    }

    [Fact]
    public void Adapter_folder_is_rejected_with_its_base_model()
    {
        File.Delete(tiny.PathOf("config.json"));
        tiny.WriteText("adapter_config.json", """{"peft_type":"LORA","base_model_name_or_path":"org/base"}""");
        tiny.Refused("LoRA adapter", "'org/base'", "merge it");
    }

    [Fact]
    public void Hub_cache_root_is_rejected_with_the_snapshot()
    {
        File.Delete(tiny.PathOf("config.json"));
        Directory.CreateDirectory(tiny.PathOf("snapshots/0123abcd"));
        Directory.CreateDirectory(tiny.PathOf("snapshots/ffff"));
        Directory.CreateDirectory(tiny.PathOf("refs"));
        tiny.WriteText("refs/main", "0123abcd\n");
        tiny.Refused("hub cache", tiny.PathOf("snapshots/0123abcd"));
        tiny.WriteText("refs/main", "../../../etc");
        tiny.Refused("hub cache", tiny.PathOf("snapshots/REVISION"));
    }

    [Fact]
    public void Hub_id_is_not_downloaded() =>
        TinyCheckpoint.Refused(() => CheckpointFolder.Open("internlm/internlm-xcomposer2-vl-7b").Dispose(), "no such folder", "nothing is downloaded");

    [Fact]
    public void Dangling_link_of_a_pruned_cache_is_named()
    {
        tiny.WriteSafetensors("model.safetensors", TinyCheckpoint.Tensors());
        File.Delete(tiny.PathOf("config.json"));
        File.CreateSymbolicLink(tiny.PathOf("config.json"), "../../blobs/aaaa");
        tiny.Refused("config.json", "../../blobs/aaaa", "download");
    }

    [Theory]
    [InlineData("model.safetensors", "weights")]
    [InlineData("config.json", "the configuration")]
    [InlineData("model.safetensors.index.json", "the index of shards")]
    public void Web_pages_error_texts_and_pointers_are_recognised(string name, string expected)
    {
        tiny.WriteSafetensors("model.safetensors", TinyCheckpoint.Tensors());
        tiny.WriteText(name, "\n <!DOCTYPE html><html><head><title>Sign in</title></head></html>");
        tiny.Refused(name, expected, "web page");
        tiny.WriteText(name, "Entry not found\n");
        tiny.Refused(name, expected, "the text 'Entry not found'");
        tiny.WriteText(name, "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 17\n");
        tiny.Refused(name, expected, "git lfs pull");
    }

    [Theory]
    [InlineData(1)]
    [InlineData(1000)]
    [InlineData(100_000)]
    public void Truncated_file_is_rejected_with_the_number_of_missing_bytes(int missing)
    {
        byte[] whole = TinyCheckpoint.Safetensors(TinyCheckpoint.Tensors());
        missing = Math.Min(missing, whole.Length - 20);
        File.WriteAllBytes(tiny.PathOf("model.safetensors"), whole[..^missing]);
        tiny.Refused("model.safetensors", "cut off", "bytes are missing");
        if (missing <= 1000)
            tiny.Refused($"{missing} bytes are missing", $"{whole.Length} bytes");
    }

    [Fact]
    public void Byte_order_mark_is_ignored()
    {
        tiny.WriteShards("model", ".safetensors", TinyCheckpoint.Tensors());
        foreach (string name in (string[])["config.json", "model.safetensors.index.json"])
            File.WriteAllText(tiny.PathOf(name), File.ReadAllText(tiny.PathOf(name)), new UTF8Encoding(encoderShouldEmitUTF8Identifier: true));
        using Checkpoint checkpoint = tiny.Open();
        Assert.Equal("safetensors, 2 shards", checkpoint.Layout);
    }
}
