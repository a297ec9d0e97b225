using XComposer2.Native.Graph;
using XComposer2.Native.Model;
using Xunit;

namespace XComposer2.Native.UnitTests;

public sealed class CheckpointFolderTests : IDisposable
{
    private const string Head = "output.weight";

    private readonly TinyCheckpoint tiny = new();
    private readonly Dictionary<string, TinyTensor> tensors = TinyCheckpoint.Tensors();

    public void Dispose() => tiny.Dispose();

    [Fact]
    public void Every_layout_serves_the_same_numbers()
    {
        tiny.WriteTorch("pytorch_model.bin", tensors);
        Check("torch .bin, one file");
        File.Delete(tiny.PathOf("pytorch_model.bin"));
        tiny.WriteShards("pytorch_model", ".bin", tensors);
        Check("torch .bin, 2 shards");
        tiny.WriteSafetensors("whatever.safetensors", new Dictionary<string, TinyTensor> { ["golden"] = TinyTensor.F32(new Shape(1), _ => 1) });
        Check("torch .bin, 2 shards");
        tiny.WriteSafetensors("model.safetensors", tensors);
        Check("safetensors, one file");
        tiny.WriteShards("model", ".safetensors", tensors);
        Check("safetensors, 2 shards");

        void Check(string layout)
        {
            using Checkpoint checkpoint = tiny.Open();
            Assert.Equal(layout, checkpoint.Layout);
            CheckpointValidator.Validate(checkpoint);
            Assert.Equal(tensors.Count, checkpoint.Tensors.Count);
            foreach ((string name, TinyTensor tensor) in tensors)
            {
                Assert.True(checkpoint.TryGet(name, out HostTensor served));
                Assert.Equal(tensor.Shape, served.Shape);
                Assert.Equal(tensor.Data, System.Runtime.InteropServices.MemoryMarshal.AsBytes(HostTensorValues.ToFloats(served).AsSpan()).ToArray());
            }
        }
    }

    [Fact]
    public void A_stale_index_is_passed_over()
    {
        tiny.WriteText("pytorch_model.bin.index.json", """{"weight_map":{"model.layers.31.attention.wo.weight":"pytorch_model-00001-of-00002.bin"}}""");
        tiny.WriteTorch("pytorch_model.bin", tensors);
        using Checkpoint checkpoint = tiny.Open();
        Assert.Contains("passed over", checkpoint.Layout, StringComparison.Ordinal);
        CheckpointValidator.Validate(checkpoint);
    }

    [Fact]
    public void A_missing_shard_is_named()
    {
        tiny.WriteShards("model", ".safetensors", tensors);
        File.Delete(tiny.PathOf("model-00002-of-00002.safetensors"));
        tiny.Refused("model.safetensors.index.json", "'model-00002-of-00002.safetensors'", "no such file");
    }

    [Fact]
    public void A_shard_without_a_tensor_of_the_index_is_named()
    {
        tiny.WriteShards("model", ".safetensors", tensors);
        tiny.WriteSafetensors("model-00002-of-00002.safetensors", new Dictionary<string, TinyTensor> { ["x"] = TinyTensor.F32(new Shape(1), _ => 1) });
        tiny.Refused("model-00002-of-00002.safetensors", "no such tensor");
    }

    [Fact]
    public void A_tensor_in_two_shards_is_refused()
    {
        tiny.WriteShards("model", ".safetensors", tensors);
        tiny.WriteSafetensors("model-00002-of-00002.safetensors", tensors);
        tiny.Refused("one shard");
    }

    [Theory]
    [InlineData("../model.safetensors")]
    [InlineData("/etc/passwd.safetensors")]
    [InlineData("..\\\\model.safetensors")]
    [InlineData("C:model.safetensors")]
    [InlineData(".hidden.safetensors")]
    [InlineData("sub/model.safetensors")]
    [InlineData("model.safetensors.index.json")]
    [InlineData("model.bin")]
    [InlineData(".safetensors")]
    [InlineData("")]
    public void An_index_may_only_name_weights_of_its_own_folder(string shard)
    {
        tiny.WriteSafetensors("model.safetensors", tensors);
        tiny.WriteText("model.safetensors.index.json", $$$"""{"weight_map":{"a":"{{{shard}}}"}}""");
        tiny.Refused("weight_map", "same folder");
    }

    [Theory]
    [InlineData("""{"weight_map":{"a":{"b":"c"}}}""", "file name")]
    [InlineData("""{"weight_map":[]}""", "an object")]
    [InlineData("""{"weight_map":{}}""", "empty")]
    [InlineData("""{}""", "none")]
    [InlineData("""[]""", "JSON object")]
    [InlineData("""{"weight_map":{"a":"x.safetensors","a":"x.safetensors"}}""", "duplicate")]
    [InlineData("""{"weight_map":{"a":"x.safetensors"},"weight_map":{"b":"x.safetensors"}}""", "second")]
    [InlineData("""{"weight_map":""", "JSON")]
    public void A_malformed_index_is_refused(string json, string word)
    {
        tiny.WriteText("model.safetensors.index.json", json);
        tiny.Refused("model.safetensors.index.json", word);
    }

    [Fact]
    public void Links_are_followed_and_loops_refused()
    {
        using TinyCheckpoint other = new();
        other.WriteSafetensors("blob", tensors);
        File.CreateSymbolicLink(tiny.PathOf("model.safetensors"), other.PathOf("blob"));
        using (Checkpoint checkpoint = tiny.Open())
            CheckpointValidator.Validate(checkpoint);
        File.Delete(tiny.PathOf("model.safetensors"));
        File.CreateSymbolicLink(tiny.PathOf("model.safetensors"), tiny.PathOf("model.safetensors"));
        Assert.Throws<CheckpointException>(() => tiny.Open().Dispose());
    }

    [Fact]
    public void Absent_and_empty_things_are_named()
    {
        TinyCheckpoint.Refused(() => CheckpointFolder.Open(tiny.PathOf("nowhere")), "nowhere", "no such folder");
        TinyCheckpoint.Refused(() => CheckpointFolder.Open(tiny.PathOf("config.json")), "config.json", "a file");
        tiny.Refused("weights", "pytorch_model.bin", "none of them");
        File.WriteAllBytes(tiny.PathOf("model.safetensors"), []);
        tiny.Refused("model.safetensors", "0 bytes");
        File.Delete(tiny.PathOf("config.json"));
        tiny.Refused("config.json", "no such file");
    }

    [Fact]
    public void Missing_and_misshapen_tensors_are_errors_and_unknown_ones_are_not()
    {
        tensors.Remove(Head);
        tensors["extra"] = TinyTensor.F32(new Shape(1), _ => 1);
        tensors[ModelTensors.VisionPrefix + "post_layernorm.weight"] = TinyTensor.F32(new Shape(8), _ => 1);
        tensors[ModelTensors.VisionPrefix + "embeddings.position_ids"] = new TinyTensor("I64", new Shape(1, 5), new byte[40]);
        tiny.WriteSafetensors("model.safetensors", tensors);
        using (Checkpoint checkpoint = tiny.Open())
        {
            CheckpointReport report = CheckpointReport.Create(checkpoint.Config, checkpoint.Tensors);
            Assert.Equal(Head, Assert.Single(report.Missing).Name);
            Assert.Equal("extra", Assert.Single(report.Unknown).Name);
            Assert.Equal(2, report.Ignored.Count);
            TinyCheckpoint.Refused(() => CheckpointValidator.Validate(checkpoint), tiny.Folder, "'output.weight'", "[24, 16]", "no such tensor");
        }
        tensors[Head] = TinyTensor.F32(new Shape(16, 24), _ => 1);
        tiny.WriteSafetensors("model.safetensors", tensors);
        using (Checkpoint checkpoint = tiny.Open())
            TinyCheckpoint.Refused(() => CheckpointValidator.Validate(checkpoint), "model.safetensors", "'output.weight'", "[24, 16]", "[16, 24]");
        tensors[Head] = TinyTensor.I32(new Shape(24, 16), _ => 1);
        tiny.WriteSafetensors("model.safetensors", tensors);
        using (Checkpoint checkpoint = tiny.Open())
            TinyCheckpoint.Refused(() => CheckpointValidator.Validate(checkpoint), "'output.weight'", "I32");
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    [InlineData(float.NegativeInfinity)]
    public void A_number_that_is_none_is_found_in_norms_at_load_and_elsewhere_on_request(float bad)
    {
        tensors["model.layers.1.ffn_norm.weight"] = TinyTensor.F32(new Shape(16), i => i == 11 ? bad : 1);
        tiny.WriteSafetensors("model.safetensors", tensors);
        using (Checkpoint checkpoint = tiny.Open())
            TinyCheckpoint.Refused(() => CheckpointValidator.Validate(checkpoint), "'model.layers.1.ffn_norm.weight', element 11");
        tensors["model.layers.1.ffn_norm.weight"] = TinyTensor.F32(new Shape(16), _ => 1);
        tensors[Head] = TinyTensor.F32(new Shape(24, 16), i => i >= 383 ? bad : 1);
        tiny.WriteSafetensors("model.safetensors", tensors);
        using (Checkpoint checkpoint = tiny.Open())
        {
            CheckpointValidator.Validate(checkpoint);
            TinyCheckpoint.Refused(() => CheckpointValidator.ValidateAllValues(checkpoint, null, TestContext.Current.CancellationToken), "'output.weight', element 383");
        }
    }

    [Fact]
    public void A_named_pipe_is_refused_without_waiting()
    {
        if (!OperatingSystem.IsLinux())
            Assert.Skip("named pipes are made with mkfifo");
        using System.Diagnostics.Process mkfifo = System.Diagnostics.Process.Start("mkfifo", tiny.PathOf("model.safetensors"));
        mkfifo.WaitForExit();
        Assert.SkipUnless(mkfifo.ExitCode == 0, "no mkfifo here");
        tiny.Refused("model.safetensors", "0 bytes");
    }
}
