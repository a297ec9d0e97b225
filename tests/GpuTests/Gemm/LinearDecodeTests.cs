using XComposer2.Native.Cuda;
using XComposer2.Native.Graph;
using XComposer2.Native.Kernels;
using Xunit;

namespace XComposer2.Native.GpuTests;

public sealed class LinearDecodeTests(GpuDevice device)
{
    public static TheoryData<DType> Storages => [DType.F32, DType.F16, DType.BF16];

    /// <summary>Any number of rows, outputs that are no multiple of a strip, inputs that are no multiple of a window.</summary>
    [Theory]
    [MemberData(nameof(Storages))]
    public void Every_number_of_rows_is_right(DType storage)
    {
        for (int rows = 1; rows <= LinearDecode.MaxRows; rows++)
        {
            Check(new LinearCase(Form(storage, 256, 33), rows));
            Check(new LinearCase(Form(storage, 200, 48), rows));
        }
    }

    [Theory]
    [MemberData(nameof(Storages))]
    public void Bias_activation_and_residual_follow(DType storage)
    {
        LinearForm form = Form(storage, 384, 70);
        Check(new LinearCase(form with { HasBias = true, Activation = Activation.QuickGelu }, 3));
        Check(new LinearCase(form with { HasBias = true, Activation = Activation.Gelu }, 1));
        Check(new LinearCase(form with { HasResidual = true, StoresFloat = true }, 8));
        Check(new LinearCase(form with { HasResidual = true, StoresFloat = true, HasBias = true }, 5));
    }

    [Theory]
    [MemberData(nameof(Storages))]
    public void The_norm_is_done_on_the_way(DType storage)
    {
        foreach (int rows in new[] { 1, 2, 8 })
        {
            Check(new LinearCase(Form(storage, 256, 65) with { StoresFloat = true }, rows, hasNorm: true));
            Check(new LinearCase(Form(storage, 512, 96) with { Epilogue = LinearEpilogue.Gated }, rows, hasNorm: true));
        }
    }

    [Theory]
    [MemberData(nameof(Storages))]
    public void Gate_and_up_meet(DType storage)
    {
        foreach (int rows in new[] { 1, 4, 7 })
            Check(new LinearCase(Form(storage, 128, 48) with { Epilogue = LinearEpilogue.Gated }, rows));
    }

    [Theory]
    [MemberData(nameof(Storages))]
    public void Int8_weights_are_exact(DType storage)
    {
        LinearForm form = Form(storage, 208, 50) with { Weights = WeightFormat.Int8 };
        Check(new LinearCase(form, 1));
        Check(new LinearCase(form with { HasResidual = true, StoresFloat = true }, 6));
        Check(new LinearCase(form with { OutFeatures = 64, Epilogue = LinearEpilogue.Gated }, 3, hasNorm: true));
    }

    /// <summary>Slices of the 7B's projections: the longest sums there are.</summary>
    [Theory]
    [InlineData(DType.BF16, 14336)]
    [InlineData(DType.F16, 4096)]
    public void Real_lengths_are_right(DType storage, int inputs)
    {
        Check(new LinearCase(Form(storage, inputs, 40) with { HasResidual = true, StoresFloat = true }, 1));
        Check(new LinearCase(Form(storage, inputs, 40) with { StoresFloat = true }, 8));
    }

    private void Check(LinearCase one)
    {
        LinearDecode kernel = new(one.Form, one.HasNorm);
        using DeviceFloats input = device.Upload(one.Input, one.HasNorm ? DType.F32 : one.Form.Storage);
        using DeviceFloats gain = device.Upload(one.Gain, one.Form.Storage);
        using DeviceArray<byte> weight = one.UploadWeight(device);
        using DeviceArray<float> scales = one.UploadScales(device);
        using DeviceFloats bias = one.UploadBias(device);
        using DeviceArray<float> residual = one.UploadResidual(device);
        using DeviceFloats output = device.Allocate(one.Rows * one.Form.OutputColumns, one.Form.StoresFloat ? DType.F32 : one.Form.Storage);
        device.Run(kernel, kernel.Geometry(), new LinearDecodeArguments
        {
            Input = new DevicePointer(input.Address),
            Gain = new DevicePointer(gain.Address),
            Weight = new DevicePointer(weight.Address),
            WeightScale = new DevicePointer(scales.Address),
            Bias = new DevicePointer(bias.Address),
            Residual = new DevicePointer(residual.Address),
            Output = new DevicePointer(output.Address),
            Rows = one.Rows,
            Epsilon = LinearCase.Epsilon,
        });
        (double[] expected, double[] bounds) = one.Expected();
        Accuracy.Within(expected, bounds, output.Download(), $"{one.Form.Storage} {one.Rows} x {one.Form.InFeatures} x {one.Form.OutFeatures} {one.Form.Epilogue}");
    }

    private static LinearForm Form(DType storage, int inputs, int outputs) => new() { Storage = storage, InFeatures = inputs, OutFeatures = outputs };
}
