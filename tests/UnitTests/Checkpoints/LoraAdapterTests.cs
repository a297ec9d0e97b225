using XComposer2.Native.Graph;
using XComposer2.Native.Model;
using Xunit;

namespace XComposer2.Native.UnitTests;

/// <summary>Adapters as PEFT saves them: merged while loading, or into a new checkpoint.</summary>
public sealed class LoraAdapterTests : IDisposable
{
    private const string Module = "model.layers.0.attention.wo", Weight = Module + ".weight", PloraWeight = Module + ".Plora_A.weight";
    private const int Rank = 2;

    private readonly TinyCheckpoint tiny = new();
    private readonly Dictionary<string, TinyTensor> tensors = TinyCheckpoint.Tensors();
    private readonly string adapter;

    public LoraAdapterTests()
    {
        adapter = tiny.PathOf("adapter");
        Directory.CreateDirectory(adapter);
        tiny.WriteSafetensors("model.safetensors", tensors);
        tiny.WriteText("tokenizer.model", "stands for one");
        WriteConfig("""{"peft_type":"LORA","r":2,"lora_alpha":8}""");
        WriteAdapter(Pair("base_model.model." + Module, 16, 16, ".weight"));
    }

    public void Dispose() => tiny.Dispose();

    [Theory]
    [InlineData("""{"peft_type":"LORA","r":2,"lora_alpha":8}""", 4f)]
    [InlineData("""{"peft_type":"LORA","r":2,"lora_alpha":8,"use_rslora":true}""", 5.656854f)]
    public void Merged_weight_is_W_plus_scale_B_A(string config, float scale)
    {
        WriteConfig(config);
        float[] plain = Read(Weight), merged = Read(Weight, adapter);
        for (int output = 0; output < 16; output++)
            for (int input = 0; input < 16; input++)
                Assert.Equal(plain[(output * 16) + input] + (scale * Change(output, input)), merged[(output * 16) + input], 1e-5f);
        Assert.Equal(Read("model.norm.weight"), Read("model.norm.weight", adapter));
    }

    [Theory]
    [InlineData(".weight", "base_model.model.")]
    [InlineData(".default.weight", "base_model.model.")]
    [InlineData(".weight", "")]
    public void Tensor_names_of_all_PEFT_versions_are_read(string ending, string prefix)
    {
        WriteAdapter(Pair(prefix + Module, 16, 16, ending));
        Assert.NotEqual(Read(Weight), Read(Weight, adapter));
    }

    [Fact]
    public void Partial_LoRA_can_be_adapted_and_adapters_add_up()
    {
        WriteAdapter(Pair("base_model.model." + Module + ".Plora_A", 4, 16, ".weight"));
        float[] plain = Read(PloraWeight), once = Read(PloraWeight, adapter), twice = Read(PloraWeight, adapter, adapter);
        Assert.NotEqual(plain, once);
        for (int i = 0; i < plain.Length; i++)
            Assert.Equal(once[i] - plain[i], (twice[i] - plain[i]) / 2, 1e-5f);
    }

    [Theory]
    [InlineData("""{"peft_type":"IA3","r":2,"lora_alpha":8}""", "peft_type", "'IA3'")]
    [InlineData("""{"r":2,"lora_alpha":8,"use_dora":true}""", "use_dora", "found true")]
    [InlineData("""{"r":2,"lora_alpha":8,"bias":"all"}""", "bias", "'all'")]
    [InlineData("""{"r":2,"lora_alpha":8,"rank_pattern":{"w1":4}}""", "rank_pattern", "a pattern")]
    [InlineData("""{"lora_alpha":8}""", "r:", "none")]
    [InlineData("""{"r":4,"lora_alpha":8}""", "lora_A", "[4, inputs]")]
    public void Unsupported_adapters_are_rejected(string config, params string[] words)
    {
        WriteConfig(config);
        TinyCheckpoint.Refused(() => Read(Weight, adapter), words);
    }

    [Fact]
    public void Adapter_tensors_that_do_not_match_the_base_model_are_rejected()
    {
        WriteAdapter(Pair("base_model.model.model.layers.9.attention.wo", 16, 16, ".weight"));
        TinyCheckpoint.Refused(() => Read(Weight, adapter), "layers.9", "in it");
        WriteAdapter(Pair("base_model.model." + Module, 24, 16, ".weight"));
        TinyCheckpoint.Refused(() => Read(Weight, adapter), "[24, 16]", "[16, 16]");
        Dictionary<string, TinyTensor> half = Pair("base_model.model." + Module, 16, 16, ".weight");
        half.Remove("base_model.model." + Module + ".lora_B.weight");
        WriteAdapter(half);
        TinyCheckpoint.Refused(() => Read(Weight, adapter), "no lora_B");
        WriteAdapter(new Dictionary<string, TinyTensor> { ["base_model.model.model.tok_embeddings.lora_embedding_A"] = TinyTensor.F32(new Shape(2, 24), _ => 1) });
        TinyCheckpoint.Refused(() => Read(Weight, adapter), "lora_embedding_A", "would not be applied");
    }

    [Fact]
    public void Merged_checkpoint_has_the_adapted_weights()
    {
        string output = tiny.PathOf("merged");
        Assert.Equal(["model.safetensors"], CheckpointMerge.Run(tiny.Folder, [adapter], output, null, TestContext.Current.CancellationToken));
        DateTime written = File.GetLastWriteTimeUtc(Path.Combine(output, "model.safetensors"));
        using Checkpoint merged = CheckpointFolder.Open(output);
        CheckpointValidator.Validate(merged);
        Assert.Equal(["config.json", "model.safetensors", "tokenizer.model"], Directory.EnumerateFiles(output).Select(Path.GetFileName).Order(StringComparer.Ordinal));
        foreach (string name in tensors.Keys)
        {
            Assert.True(merged.TryGet(name, out HostTensor tensor));
            Assert.Equal(Read(name, adapter), HostTensorValues.ToFloats(tensor));
        }

        // Completed files are not written again, and damage is detected.
        CheckpointMerge.Run(tiny.Folder, [adapter], output, null, TestContext.Current.CancellationToken);
        Assert.Equal(written, File.GetLastWriteTimeUtc(Path.Combine(output, "model.safetensors")));
        merged.Dispose();
        byte[] file = File.ReadAllBytes(Path.Combine(output, "model.safetensors"));
        file[^1] ^= 1;
        File.WriteAllBytes(Path.Combine(output, "model.safetensors"), file);
        TinyCheckpoint.Refused(() => CheckpointMerge.Run(tiny.Folder, [adapter], output), "model.safetensors", "merge again");
    }

    /// <summary>The adapter that the original's training code made of the demo, merged: the change of each weight is alpha / r B A.</summary>
    [Fact]
    public void Adapter_of_the_original_training_code_is_merged_into_the_demo()
    {
        string witness = Path.Combine(TestPaths.RepositoryRoot, "..", "shared", "golden", "training", "lora-end.safetensors");
        if (!File.Exists(witness))
            Assert.Skip("../shared/golden/training is not here");
        File.Copy(witness, Path.Combine(adapter, "adapter_model.safetensors"), overwrite: true);
        WriteConfig("""{"peft_type":"LORA","r":8,"lora_alpha":16}""");
        string demo = TestPaths.Repository("tools/demo/checkpoint");
        using Checkpoint plain = CheckpointFolder.Open(demo), merged = CheckpointFolder.Open(demo, new CheckpointOptions { Adapters = [adapter] });
        using TensorFile file = TensorFile.OpenSafetensors(witness);
        const string name = "model.layers.1.feed_forward.w2";
        float[] before = Values(plain, name + ".weight"), after = Values(merged, name + ".weight"), down = Values(file, $"base_model.model.{name}.lora_A.weight"), up = Values(file, $"base_model.model.{name}.lora_B.weight");
        int inputs = down.Length / 8;
        double worst = 0, largest = 0;
        for (int i = 0; i < before.Length; i++)
        {
            double change = 0;
            for (int rank = 0; rank < 8; rank++)
                change += 2.0 * up[(i / inputs * 8) + rank] * down[(rank * inputs) + (i % inputs)];
            // BF16 keeps 8 bits.
            worst = Math.Max(worst, Math.Abs(before[i] + change - after[i]) - (Math.Abs(before[i] + change) / 256));
            largest = Math.Max(largest, Math.Abs(change));
        }
        Assert.True(worst <= 0 && largest > 0, $"{worst}, {largest}");
        CheckpointValidator.Validate(merged);
    }

    private static float Change(int output, int input) => Enumerable.Range(0, Rank).Sum(rank => Up((output * Rank) + rank) * Down((rank * 16) + input));

    private static float Down(int index) => ((index % 7) - 3) / 16f;

    private static float Up(int index) => ((index % 5) - 2) / 8f;

    private static Dictionary<string, TinyTensor> Pair(string module, int outputs, int inputs, string ending) => new()
    {
        [$"{module}.lora_A{ending}"] = TinyTensor.F32(new Shape(Rank, inputs), Down),
        [$"{module}.lora_B{ending}"] = TinyTensor.F32(new Shape(outputs, Rank), Up),
    };

    private static float[] Values(IWeightSource source, string name)
    {
        Assert.True(source.TryGet(name, out HostTensor tensor), name);
        return HostTensorValues.ToFloats(tensor);
    }

    private float[] Read(string name, params string[] adapters)
    {
        using Checkpoint checkpoint = CheckpointFolder.Open(tiny.Folder, new CheckpointOptions { Adapters = adapters });
        return Values(checkpoint, name);
    }

    private void WriteConfig(string json) => File.WriteAllText(Path.Combine(adapter, "adapter_config.json"), json);

    private void WriteAdapter(Dictionary<string, TinyTensor> pairs) => File.WriteAllBytes(Path.Combine(adapter, "adapter_model.safetensors"), TinyCheckpoint.Safetensors(pairs));
}
