using XComposer2.Native.Graph;
using XComposer2.Native.Model;
using Xunit;

namespace XComposer2.Native.UnitTests;

public sealed class GoldenCheckpointTests
{
    [Theory]
    [InlineData("gqa-head64-fp32", "safetensors, 2 shards", DType.F32)]
    [InlineData("mqa-head128-bf16", "safetensors", DType.BF16)]
    [InlineData("fp16-torch-bin", "torch .bin, 2 shards", DType.F16)]
    [InlineData("gptq-4bit-128g", "GPTQ 4-bit", DType.F16)]
    public void Opens_complete_and_valid(string folder, string layout, DType type)
    {
        using Checkpoint checkpoint = CheckpointFolder.Open(TestPaths.Shared($"golden/{folder}"));
        Assert.StartsWith(layout, checkpoint.Layout, StringComparison.Ordinal);
        Assert.Equal(type, checkpoint.Config.StoredType);
        Assert.Equal(ModelVariant.Other, checkpoint.Config.Variant);

        CheckpointReport report = CheckpointReport.Create(checkpoint.Config, checkpoint.Tensors);
        Assert.True(report.IsUsable);
        Assert.Empty(report.Unknown);
        CheckpointValidator.Validate(checkpoint);
        CheckpointValidator.ValidateAllValues(checkpoint, null, TestContext.Current.CancellationToken);

        IReadOnlyList<ExpectedTensor> expected = ModelTensors.Expected(checkpoint.Config);
        Assert.Equal(expected.Count, checkpoint.Tensors.Count - report.Ignored.Count);
        foreach (ExpectedTensor wanted in expected)
        {
            Assert.True(checkpoint.TryGet(wanted.Name, out HostTensor tensor));
            Assert.Equal(wanted.Shape, tensor.Shape);
            Assert.Equal(0, tensor.Data % tensor.Type.ElementBytes());
        }
        Assert.False(checkpoint.TryGet("model.layers.99.attention.wo.weight", out _));
    }

    [Fact]
    public void The_demo_opens()
    {
        using Checkpoint checkpoint = CheckpointFolder.Open(TestPaths.Shared("demo-model/checkpoint"));
        CheckpointValidator.Validate(checkpoint);
        Assert.Equal(84, checkpoint.Config.ImageSize);
        Assert.Equal(36, checkpoint.Config.TokensPerImage);
        Assert.Equal(new AttentionGeometry(4, 2, 64), checkpoint.Config.Decoder.Attention);
    }

    [Fact]
    public void Config_of_the_head64_checkpoint()
    {
        using Checkpoint checkpoint = CheckpointFolder.Open(TestPaths.Shared("golden/gqa-head64-fp32"));
        ModelConfig config = checkpoint.Config;
        Assert.Equal((320, 256, 384, 2), (config.Decoder.VocabularySize, config.Decoder.HiddenSize, config.Decoder.IntermediateSize, config.Decoder.LayerCount));
        Assert.Equal(new PloraConfig(8, 2f), config.Decoder.Plora.Wqkv);
        Assert.Equal((64, 128, 2, 1, 14, 3), (config.Vision.Width, config.Vision.IntermediateSize, config.Vision.LayerCount, config.Vision.HeadCount, config.Vision.PatchSize, config.Vision.StoredGrid));
        Assert.Equal((56, 4, 16), (config.ImageSize, config.ImageGrid, config.TokensPerImage));
    }

    [Theory]
    [InlineData("gqa-head64-fp32")]
    [InlineData("mqa-head128-bf16")]
    [InlineData("fp16-torch-bin")]
    [InlineData("gptq-4bit-128g")]
    public void Position_table_is_resized_as_the_original_does(string folder)
    {
        Checkpoint checkpoint = CheckpointFolder.Open(TestPaths.Shared($"golden/{folder}"));
        using PreparedWeights weights = new(checkpoint, checkpoint.Config);
        using TensorFile golden = TensorFile.OpenSafetensors(TestPaths.Shared($"golden/{folder}/golden.safetensors"));
        Assert.True(weights.TryGet(ModelTensors.PositionTableName, out HostTensor table));
        Assert.True(golden.TryGet("position_embedding_resized", out HostTensor expected));
        Assert.Equal(expected.Shape, table.Shape);
        float[] actualValues = HostTensorValues.ToFloats(table), expectedValues = HostTensorValues.ToFloats(expected);
        for (int i = 0; i < expectedValues.Length; i++)
            Assert.InRange(MathF.Abs(actualValues[i] - expectedValues[i]), 0f, 1e-5f);
        Assert.True(weights.TryGet("output.weight", out HostTensor head));
        Assert.True(checkpoint.TryGet("output.weight", out HostTensor stored));
        Assert.Equal(stored, head);
    }

    [Fact]
    public void A_misaligned_tensor_is_served_from_an_aligned_copy()
    {
        using TensorFile golden = TensorFile.OpenSafetensors(TestPaths.Shared("golden/gptq-4bit-128g/golden.safetensors"));
        Assert.True(golden.TryGet("text.logits", out HostTensor logits));
        Assert.Equal(0, logits.Data % sizeof(float));
        Assert.True(golden.TryGet("text.logits", out HostTensor again));
        Assert.Equal(logits.Data, again.Data);
        Assert.All(HostTensorValues.ToFloats(logits), value => Assert.InRange(value, -1e3f, 1e3f));
    }
}
