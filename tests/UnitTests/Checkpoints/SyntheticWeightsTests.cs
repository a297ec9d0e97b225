using System.Text;
using XComposer2.Native.Graph;
using XComposer2.Native.Model;
using Xunit;

namespace XComposer2.Native.UnitTests;

public sealed class SyntheticWeightsTests
{
    private static readonly ModelConfig Tiny = ModelConfigReader.Resolve("config.json", Encoding.UTF8.GetBytes(TinyCheckpoint.ConfigJson), []);

    [Theory]
    [InlineData(DType.BF16)]
    [InlineData(DType.F16)]
    [InlineData(DType.F32)]
    public void All_tensors_are_there_and_reproducible(DType type)
    {
        using SyntheticWeights first = new(Tiny, 5, type), same = new(Tiny, 5, type), other = new(Tiny, 6, type);
        bool differs = false;
        foreach (ExpectedTensor expected in ModelTensors.Expected(Tiny))
        {
            Assert.True(first.TryGet(expected.Name, out HostTensor a) & same.TryGet(expected.Name, out HostTensor b) & other.TryGet(expected.Name, out HostTensor c));
            Assert.Equal((type, expected.Shape, 0), (a.Type, a.Shape, (int)(a.Data % 64)));
            Assert.Equal(HostTensorValues.ToFloats(a), HostTensorValues.ToFloats(b));
            differs |= !HostTensorValues.ToFloats(a).SequenceEqual(HostTensorValues.ToFloats(c));
        }
        Assert.True(differs);
        Assert.False(first.TryGet("nothing", out _));
    }

    [Fact]
    public void Norms_are_one_biases_zero_and_the_rest_is_noise_of_the_usual_size()
    {
        ModelConfig config = ModelPresets.Find(ModelPresets.VisionLanguage1B8).WithLayers(1) with { Vision = Tiny.Vision };
        config = config with { Decoder = config.Decoder with { VocabularySize = 100 } };
        using SyntheticWeights weights = new(config);
        Assert.All(Values(weights, "model.layers.0.ffn_norm.weight"), value => Assert.Equal(1f, value));
        Assert.All(Values(weights, ModelTensors.VisionPrefix + "encoder.layers.0.layer_norm1.weight"), value => Assert.Equal(1f, value));
        Assert.All(Values(weights, ModelTensors.VisionPrefix + "encoder.layers.0.layer_norm1.bias"), value => Assert.Equal(0f, value));
        float[] noise = Values(weights, "model.layers.0.feed_forward.w1.weight");
        Assert.Equal(0, noise.Average(value => (double)value), 1e-4);
        Assert.Equal(0.02, Math.Sqrt(noise.Average(value => (double)value * value)), 2e-4);
        Assert.NotEqual(noise[..1000], Values(weights, "model.layers.0.feed_forward.w3.weight")[..1000]);
    }

    [Fact]
    public void Integers_are_refused() => Assert.Throws<ArgumentException>(() => new SyntheticWeights(Tiny, 0, DType.I8));

    private static float[] Values(SyntheticWeights weights, string name)
    {
        Assert.True(weights.TryGet(name, out HostTensor tensor));
        return HostTensorValues.ToFloats(tensor);
    }
}
