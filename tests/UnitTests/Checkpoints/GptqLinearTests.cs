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

    /// <summary>The same numbers as integers of a format: signed ones where all zero points are 8.</summary>
    [Theory]
    [InlineData("sym", false, false)]
    [InlineData("asym", true, false)]
    [InlineData("act_order", null, true)]
    public unsafe void Unpacks_to_integers_exactly(string name, bool? hasZeroPoints, bool hasGroupIndex)
    {
        using TensorFile file = TensorFile.OpenSafetensors(TestPaths.Shared("golden/gptq-linear.safetensors"));
        Assert.True(file.TryGet(name + ".dequantized", out HostTensor expected) & file.TryGet(name + ".qweight", out HostTensor weights) & file.TryGet(name + ".qzeros", out HostTensor zeros) & file.TryGet(name + ".scales", out HostTensor scales));
        int outputs = expected.Shape[0], inputs = expected.Shape[1], groups = scales.Shape[0];
        ReadOnlySpan<int> index = Get<int>(file, name + ".g_idx");
        WeightFormat format = GptqIntegers.FormatOf(Get<int>(file, name + ".qzeros"), index, (inputs + groups - 1) / groups, 1)!.Value;
        Assert.Equal(hasGroupIndex, format.HasGroupIndex);
        Assert.True(hasZeroPoints is null || format.HasZeroPoints == hasZeroPoints);
        using GptqIntegers integers = GptqIntegers.Unpack(format, weights, zeros, scales, index, 1);
        float[] exact = HostTensorValues.ToFloats(expected);
        for (int row = 0; row < outputs; row++)
            for (int column = 0; column < inputs; column++)
                Assert.Equal(exact[(row * inputs) + column], (float)StoredWeights.Value(integers, format, row, column, inputs));
        Assert.Equal(format.Bytes(expected.Shape), integers.TotalBytes);
    }

    /// <summary>Bit for bit what the file says, without 16-bit copies of it, and as floats where a device does not read the format.</summary>
    [Fact]
    public void A_checkpoint_serves_its_integers()
    {
        const string Name = "model.layers.1.feed_forward.w2.weight";
        using Checkpoint checkpoint = CheckpointFolder.Open(TestPaths.Shared("golden/gptq-4bit-128g"));
        Assert.Contains("dequantised", checkpoint.Layout, StringComparison.Ordinal);
        Assert.False(checkpoint.ServeIntegers(_ => false));
        Assert.True(checkpoint.TryGetFormat(Name, out WeightFormat format) && format.IsFloat);
        Assert.True(checkpoint.TryGet(Name, out HostTensor floats));
        float[] exact = HostTensorValues.ToFloats(floats);
        Assert.True(checkpoint.ServeIntegers(_ => true));
        Assert.DoesNotContain("dequantised", checkpoint.Layout, StringComparison.Ordinal);
        Assert.True(checkpoint.TryGetFormat(Name, out format) && !format.IsFloat && format.GroupSize == 128);
        WeightFacts facts = WeightFacts.Of(checkpoint, checkpoint.Config);
        Assert.True(facts.QuantizedBytes > 0);
        Assert.True(checkpoint.TryGet(Name, out HostTensor elements) & checkpoint.TryGet(Name + ".scale", out HostTensor scales));
        Assert.Equal((new Shape(256, 384), new Shape(256, 3)), (elements.Shape, scales.Shape));
        Assert.Equal(format.Bytes(elements.Shape), checkpoint.HeldBytes - (long)exact.Length * sizeof(float));
        checkpoint.Release(Name);
        Assert.Equal((long)exact.Length * sizeof(float), checkpoint.HeldBytes);
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
