using XComposer2.Native.Cuda;
using XComposer2.Native.Graph;
using XComposer2.Native.Kernels;
using Xunit;

namespace XComposer2.Native.GpuTests;

/// <summary>The packed projection of an attention layer, for many rows and for few: rotation, order of columns, pages.</summary>
public sealed class LinearRopeTests(GpuDevice device)
{
    private static readonly AttentionGeometry[] geometries = [new(4, 2, 64), new(2, 1, 128), new(4, 4, 64)];

    public static TheoryData<string, DType> SomeTiles => Tiles.Some();

    public static TheoryData<DType> Storages => [DType.F32, DType.F16, DType.BF16];

    [Theory]
    [MemberData(nameof(SomeTiles))]
    public void Prefill_rotates_and_appends(string name, DType storage)
    {
        PrefillTile tile = Tiles.Of(name, storage);
        foreach (AttentionGeometry heads in geometries)
            Prefill(new LinearCase(Form(storage, heads), 70), tile);
    }

    [Theory]
    [MemberData(nameof(SomeTiles))]
    public void Prefill_takes_bias_int8_and_partial_lora_before_rotating(string name, DType storage)
    {
        PrefillTile tile = Tiles.Of(name, storage);
        LinearForm form = Form(storage, geometries[0]) with { HasBias = true };
        Prefill(new LinearCase(form, 70, 24, row => row % 3 != 1), tile);
        Prefill(new LinearCase(form with { Weights = WeightFormat.Int8 }, 70, 24, row => row is > 7 and < 50), tile);
    }

    /// <summary>The first token, the last of a page, the first of the next; a place that no sequence has.</summary>
    [Theory]
    [MemberData(nameof(Storages))]
    public void Decode_rotates_and_appends(DType storage)
    {
        foreach (AttentionGeometry heads in geometries)
        {
            Decode(new LinearCase(Form(storage, heads), 7, hasNorm: true), [0, 63, 64, 130], [1, 1, 0, 1]);
            Decode(new LinearCase(Form(storage, heads), 39, hasNorm: true), [.. Enumerable.Range(0, 20).Select(index => 7 * index)], [.. Enumerable.Repeat(1, 20)]);
        }

        Decode(new LinearCase(Form(storage, geometries[0]) with { Weights = WeightFormat.Int8, HasBias = true }, 1, hasNorm: true), [63], [1]);
    }

    private static LinearForm Form(DType storage, AttentionGeometry heads) => new()
    {
        Storage = storage, InFeatures = 96, OutFeatures = heads.PackedColumns, Epilogue = LinearEpilogue.RopeKvAppend, Heads = heads,
    };

    private void Prefill(LinearCase one, PrefillTile tile)
    {
        LinearPrefill kernel = new(one.Form, tile, one.Rank);
        PrefillRun.CheckRope(device, one, arguments => device.Run(kernel, kernel.Geometry(one.Rows), arguments));
    }

    private void Decode(LinearCase one, int[] pastLengths, int[] rowCounts)
    {
        LinearDecode kernel = new(one.Form, one.HasNorm, one.Rows, LinearDecode.CanStage(one.Form, one.HasNorm, one.Rows, device.Capability));
        using DeviceFloats input = device.Upload(one.Input, DType.F32);
        using DeviceFloats gain = device.Upload(one.Gain, one.Form.Storage);
        using DeviceArray<byte> weight = one.UploadWeight(device);
        using DeviceArray<byte> scales = one.UploadScales(device), zeros = one.UploadZeros(device);
        using DeviceArray<int> order = one.UploadColumnOrder(device);
        using DeviceFloats bias = one.UploadBias(device);
        new RopeStep(one, pastLengths, rowCounts).Check(device, arrays => device.Run(kernel, kernel.Geometry(one.Rows, new DeviceFacts(device.Capability, 1)), new LinearDecodeArguments
        {
            Input = new DevicePointer(input.Address),
            Gain = new DevicePointer(gain.Address),
            Weight = new DevicePointer(weight.Address),
            WeightScale = new DevicePointer(scales.Address),
            WeightZero = new DevicePointer(zeros.Address),
            ColumnOrder = new DevicePointer(order.Address),
            Bias = new DevicePointer(bias.Address),
            Output = arrays.Queries,
            RopeTable = arrays.RopeTable,
            Pages = arrays.Pages,
            Sequences = arrays.Sequences,
            PageTable = arrays.PageTable,
            PageBytes = arrays.PageBytes,
            Rows = one.Rows,
            SequenceCount = arrays.SequenceCount,
            Epsilon = LinearCase.Epsilon,
        }));
    }
}
