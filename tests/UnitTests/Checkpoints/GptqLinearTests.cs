using System.Runtime.InteropServices;
using XComposer2.Native.Graph;
using XComposer2.Native.Model;
using Xunit;

namespace XComposer2.Native.UnitTests;

public sealed class GptqLinearTests
{
    [Theory]
    [InlineData("sym")]
    [InlineData("asym")]
    [InlineData("act_order")]
    public void Dequantises_exactly(string name)
    {
        using TensorFile file = TensorFile.OpenSafetensors(TestPaths.Shared("golden/gptq-linear.safetensors"));
        Assert.True(file.TryGet(name + ".dequantized", out HostTensor expected));
        int outputs = expected.Shape[0], inputs = expected.Shape[1];
        float[] weight = new float[outputs * inputs];
        GptqLinear.Dequantize(Get<int>(file, name + ".qweight"), Get<int>(file, name + ".qzeros"), Get<Half>(file, name + ".scales"), Get<int>(file, name + ".g_idx"), outputs, 0, outputs, weight);
        Assert.Equal(HostTensorValues.ToFloats(expected), weight);

        float[] part = new float[16 * inputs];
        GptqLinear.Dequantize(Get<int>(file, name + ".qweight"), Get<int>(file, name + ".qzeros"), Get<Half>(file, name + ".scales"), Get<int>(file, name + ".g_idx"), outputs, 24, 16, part);
        Assert.Equal(weight[(24 * inputs)..(40 * inputs)], part);
    }

    [Fact]
    public void A_checkpoint_serves_plain_names_and_drops_zero_biases()
    {
        string folder = TestPaths.Shared("golden/gptq-4bit-128g");
        using Checkpoint exact = CheckpointFolder.Open(folder);
        using Checkpoint rounded = CheckpointFolder.Open(folder, new CheckpointOptions { ExactGptqLimitBytes = 0 });
        const string name = "model.layers.1.feed_forward.w2.weight";
        Assert.True(exact.TryGet(name, out HostTensor single));
        Assert.True(rounded.TryGet(name, out HostTensor half));
        Assert.Equal((DType.F32, DType.F16), (single.Type, half.Type));
        Assert.Equal(new Shape(256, 384), single.Shape);
        Assert.Equal(HostTensorValues.ToFloats(single).Select(value => (float)(Half)value), HostTensorValues.ToFloats(half));
        Assert.Contains(HostTensorValues.ToFloats(single), value => value != 0);
        Assert.False(exact.TryGet("model.layers.1.feed_forward.w2.bias", out _));
        Assert.False(exact.TryGet("model.layers.1.feed_forward.w2.linear.qweight", out _));
        Assert.Contains(exact.Tensors, tensor => tensor.Name == name && tensor.TypeName == "GPTQ4");
    }

    private static unsafe ReadOnlySpan<T> Get<T>(TensorFile file, string name)
        where T : unmanaged
    {
        Assert.True(file.TryGet(name, out HostTensor tensor));
        return MemoryMarshal.Cast<byte, T>(new ReadOnlySpan<byte>((void*)tensor.Data, (int)tensor.Bytes));
    }
}
