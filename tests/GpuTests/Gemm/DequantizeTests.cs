using XComposer2.Native.Cuda;
using XComposer2.Native.Graph;
using XComposer2.Native.Kernels;
using Xunit;

namespace XComposer2.Native.GpuTests;

public sealed class DequantizeTests(GpuDevice device)
{
    public static TheoryData<DType, WeightFormat> Formats
    {
        get
        {
            TheoryData<DType, WeightFormat> data = [];
            foreach (DType storage in (DType[])[DType.F32, DType.F16, DType.BF16])
                foreach (WeightFormat format in (WeightFormat[])
                    [WeightFormat.Int8, WeightFormat.Grouped(4, 128), WeightFormat.Grouped(4, 32, true, true), WeightFormat.Grouped(8, 64), WeightFormat.Grouped(8, 64, true, true)])
                    data.Add(storage, format);
            return data;
        }
    }

    /// <summary>To the bit: an integer of nine bits times a scale of eleven is exact in F32, and rounded once. Int8's scale is F32, and its product rounded twice.</summary>
    [Theory]
    [MemberData(nameof(Formats))]
    public void A_panel_has_the_weights_numbers(DType storage, WeightFormat format)
    {
        const int Rows = 32, Columns = 576;
        QuantisedRows rows = new(format, Rows, Columns, 0.02);
        float[] expected = [.. rows.Values.Select((value, index) => StoredFloats.Round(value * (float)rows.RowScale(index / Columns), storage))];
        Assert.Equal(expected, Run(rows, new Dequantize(storage, format, Columns, Rows)));
    }

    private float[] Run(QuantisedRows rows, Dequantize kernel)
    {
        using DeviceArray<byte> elements = device.Upload<byte>(rows.Packed(WeightPart.Elements, row => row)), scales = device.Upload<byte>(rows.Packed(WeightPart.Scales, row => row));
        using DeviceArray<byte> zeros = device.Upload<byte>(kernel.Format.HasZeroPoints ? rows.Packed(WeightPart.ZeroPoints, row => row) : [0]);
        using DeviceArray<int> order = device.Upload(rows.Order ?? [0]);
        using DeviceFloats panel = device.Allocate(kernel.InFeatures * kernel.OutFeatures, kernel.Storage);
        device.Run(kernel, kernel.Geometry(), new DequantizeArguments(
            new DevicePointer(elements.Address), new DevicePointer(scales.Address), new DevicePointer(zeros.Address), new DevicePointer(order.Address), new DevicePointer(panel.Address)));
        return panel.Download();
    }
}
