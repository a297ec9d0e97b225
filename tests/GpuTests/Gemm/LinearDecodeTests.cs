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
        foreach (int rows in (int[])[1, 2, 3, 4, 5, 6, 7, 8, 9, 16, 17, 31, 32, 33, 63, 64])
        {
            Check(new LinearCase(Form(storage, 256, 33), rows));
            Check(new LinearCase(Form(storage, 200, 48), rows));
        }
    }

    /// <summary>To the bit: an answer must not depend on how many others are generated with it.</summary>
    [Theory]
    [MemberData(nameof(Storages))]
    public void A_row_gives_the_same_among_any_number_of_rows(DType storage)
    {
        foreach (LinearForm form in (LinearForm[])[Form(storage, 1608, 40) with { StoresFloat = true }, Form(storage, 192, 64) with { Weights = WeightFormat.Int8, Epilogue = LinearEpilogue.Gated }])
            foreach (bool hasNorm in (bool[])[false, true])
            {
                // Rows of a shorter case are the first ones of the longer.
                float[] all = Run(new LinearCase(form, 64, hasNorm: hasNorm));
                foreach (int rows in (int[])[1, 8, 9, 17, 33])
                {
                    float[] some = Run(new LinearCase(form, rows, hasNorm: hasNorm));
                    Assert.Equal(all[..some.Length], some);
                }
            }
    }

    /// <summary>To the bit: strips go to blocks in turns, and a block has its next strip's weights on their way before it has finished one.</summary>
    [Theory]
    [MemberData(nameof(Storages))]
    public void The_grid_does_not_change_a_result(DType storage)
    {
        LinearCase one = new(Form(storage, 1608, 40) with { StoresFloat = true }, 8, hasNorm: true);
        float[] expected = Run(one);
        Assert.Equal(expected, Run(one, multiprocessors: 2));
        Assert.Equal(expected, Run(one, multiprocessors: 132));
    }

    /// <summary>To the bit: where normed rows wait in shared memory, and where they do not.</summary>
    [Theory]
    [InlineData(DType.F16)]
    [InlineData(DType.BF16)]
    public void Staging_the_input_does_not_change_a_result(DType storage)
    {
        LinearCase one = new(Form(storage, 1608, 40) with { StoresFloat = true }, 8, hasNorm: true);
        Assert.Equal(Run(one), Run(one, mayStage: false));
    }

    [Fact]
    public void What_does_not_fit_in_shared_memory_does_not_wait_there()
    {
        LinearForm form = Form(DType.F16, 4096, 16);
        ComputeCapability ampere = new(8, 0);
        Assert.True(LinearDecode.CanStage(form, true, 8, ampere));
        Assert.False(LinearDecode.CanStage(form, false, 8, ampere));
        Assert.False(LinearDecode.CanStage(form, true, 9, ampere));
        Assert.False(LinearDecode.CanStage(form, true, 8, new ComputeCapability(7, 5)));
        Assert.False(LinearDecode.CanStage(form with { InFeatures = 4104 }, true, 8, ampere));
        Assert.False(LinearDecode.CanStage(form with { Storage = DType.F32 }, true, 8, ampere));
        Assert.Throws<ArgumentException>(() => new LinearDecode(form, hasNorm: true, rows: 9, stagesInput: true));
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
        foreach (int rows in new[] { 1, 2, 8, 13, 32, 50 })
        {
            Check(new LinearCase(Form(storage, 256, 65) with { StoresFloat = true }, rows, hasNorm: true));
            Check(new LinearCase(Form(storage, 512, 96) with { Epilogue = LinearEpilogue.Gated }, rows, hasNorm: true));
        }
    }

    [Theory]
    [MemberData(nameof(Storages))]
    public void Gate_and_up_meet(DType storage)
    {
        foreach (int rows in new[] { 1, 4, 7, 12, 41 })
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
        Check(new LinearCase(form, 9));
        Check(new LinearCase(form with { OutFeatures = 64, Epilogue = LinearEpilogue.Gated }, 39, hasNorm: true));
    }

    public static TheoryData<DType, WeightFormat> Groups
    {
        get
        {
            TheoryData<DType, WeightFormat> data = [];
            foreach (WeightFormat format in (WeightFormat[])
                [WeightFormat.Grouped(4, 128), WeightFormat.Grouped(4, 64, true), WeightFormat.Grouped(4, 32, true, true), WeightFormat.Grouped(8, 128), WeightFormat.Grouped(8, 64, true, true)])
                data.Add(DType.F16, format);
            data.Add(DType.BF16, WeightFormat.Grouped(4, 128));
            data.Add(DType.BF16, WeightFormat.Grouped(4, 32, true, true));
            data.Add(DType.BF16, WeightFormat.Grouped(8, 64, true, true));
            data.Add(DType.F32, WeightFormat.Grouped(4, 32, true, true));
            data.Add(DType.F32, WeightFormat.Grouped(8, 64, true));
            return data;
        }
    }

    /// <summary>Normed and plain inputs, a window less than the warps have, rows alone and among others to the bit.</summary>
    [Theory]
    [MemberData(nameof(Groups))]
    public void Weights_in_groups_are_exact(DType storage, WeightFormat format)
    {
        LinearForm gated = Form(storage, 960, 48) with { Weights = format, Epilogue = LinearEpilogue.Gated }, plain = Form(storage, 960, 48) with { Weights = format, StoresFloat = true };
        Check(new LinearCase(gated, 3, hasNorm: true));
        Check(new LinearCase(plain, 1));
        LinearCase many = new(plain, 13);
        Check(many);
        float[] alone = Run(new LinearCase(plain, 1));
        Assert.Equal(Run(many)[..alone.Length], alone);
    }

    [Theory]
    [InlineData(DType.BF16, 14336)]
    [InlineData(DType.F16, 4096)]
    public void Real_lengths_in_groups_are_right(DType storage, int inputs)
    {
        LinearForm form = Form(storage, inputs, 48) with { Weights = WeightFormat.Grouped(4, 128), HasResidual = true, StoresFloat = true };
        Check(new LinearCase(form, 1));
        Check(new LinearCase(form, 8));
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
        (double[] expected, double[] bounds) = one.Expected();
        Accuracy.Within(expected, bounds, Run(one), $"{one.Form.Storage} {one.Rows} x {one.Form.InFeatures} x {one.Form.OutFeatures} {one.Form.Epilogue}");
    }

    // Two blocks, so that one takes several strips.
    private float[] Run(LinearCase one, int multiprocessors = 1, bool mayStage = true)
    {
        LinearDecode kernel = new(one.Form, one.HasNorm, one.Rows, mayStage && LinearDecode.CanStage(one.Form, one.HasNorm, one.Rows, device.Capability));
        using DeviceFloats input = device.Upload(one.Input, one.HasNorm ? DType.F32 : one.Form.Storage);
        using DeviceFloats gain = device.Upload(one.Gain, one.Form.Storage);
        using DeviceArray<byte> weight = one.UploadWeight(device);
        using DeviceArray<byte> scales = one.UploadScales(device), zeros = one.UploadZeros(device);
        using DeviceArray<int> order = one.UploadColumnOrder(device);
        using DeviceFloats bias = one.UploadBias(device);
        using DeviceArray<float> residual = one.UploadResidual(device);
        using DeviceFloats output = device.Allocate(one.Rows * one.Form.OutputColumns, one.Form.StoresFloat ? DType.F32 : one.Form.Storage);
        device.Run(kernel, kernel.Geometry(one.Rows, new DeviceFacts(device.Capability, multiprocessors)), new LinearDecodeArguments
        {
            Input = new DevicePointer(input.Address),
            Gain = new DevicePointer(gain.Address),
            Weight = new DevicePointer(weight.Address),
            WeightScale = new DevicePointer(scales.Address),
            WeightZero = new DevicePointer(zeros.Address),
            ColumnOrder = new DevicePointer(order.Address),
            Bias = new DevicePointer(bias.Address),
            Residual = new DevicePointer(residual.Address),
            Output = new DevicePointer(output.Address),
            Rows = one.Rows,
            Epsilon = LinearCase.Epsilon,
        });
        return output.Download();
    }

    private static LinearForm Form(DType storage, int inputs, int outputs) => new() { Storage = storage, InFeatures = inputs, OutFeatures = outputs };
}
