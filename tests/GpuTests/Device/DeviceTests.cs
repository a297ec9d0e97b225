using XComposer2.Native.Graph;
using XComposer2.Native.Kernels;
using Xunit;

namespace XComposer2.Native.GpuTests;

public sealed class DeviceTests(GpuDevice device)
{
    [Fact]
    public void What_is_uploaded_comes_back()
    {
        using DeviceArray<int> array = device.Upload([1, -2, 3]);
        Assert.Equal([1, -2, 3], array.Download());
    }

    [Theory]
    [InlineData(DType.F32)]
    [InlineData(DType.F16)]
    [InlineData(DType.BF16)]
    public void Stored_floats_are_exact_and_results_begin_as_no_numbers(DType storage)
    {
        float[] values = StoredFloats.Random(77, 1, storage);
        using DeviceFloats stored = device.Upload(values, storage);
        Assert.Equal(values, stored.Download());
        using DeviceFloats results = device.Allocate(5, storage);
        Assert.All(results.Download(), value => Assert.True(float.IsNaN(value)));
    }
}
