using XComposer2.Native.Cuda;
using XComposer2.Native.Kernels;

namespace XComposer2.Native.GpuTests;

/// <summary>Runs linears of many rows on the device and compares.</summary>
internal static class PrefillRun
{
    /// <summary>Of a plain or gated linear.</summary>
    public static void Check(GpuDevice device, LinearCase one, PrefillTile tile)
    {
        LinearPrefill kernel = new(one.Form, tile, one.Rank);
        (double[] expected, double[] bounds) = one.Expected();
        Accuracy.Within(expected, bounds, Run(device, one, arguments => device.Run(kernel, kernel.Geometry(one.Rows), arguments)), Describe(one, $"{tile.Rows}x{tile.Columns}x{tile.Depth}"));
    }

    /// <summary>What a plain or gated linear stores.</summary>
    public static float[] Outputs(GpuDevice device, LinearCase one, PrefillTile tile)
    {
        LinearPrefill kernel = new(one.Form, tile, one.Rank);
        return Run(device, one, arguments => device.Run(kernel, kernel.Geometry(one.Rows), arguments));
    }

    /// <summary>Of a plain or gated linear, under all conditions of an emulated device.</summary>
    /// <param name="device">On which.</param>
    /// <param name="one">What.</param>
    /// <param name="tile">Its tile.</param>
    /// <param name="blocks">Of the launch at most: where there are more tiles, a block has several.</param>
    public static void Check(GpuDevice device, LinearCase one, WgmmaTile tile, int blocks)
    {
        LinearWgmma kernel = new(one.Form, tile, one.Rank);
        (double[] expected, double[] bounds) = one.Expected();
        EmulatedConditions.ForEach(device, condition => Accuracy.Within(
            expected, bounds,
            Run(device, one, arguments => device.Run(kernel, kernel.Geometry(one.Rows, blocks), kernel.Arguments(device.Context, arguments))),
            $"{Describe(one, $"{tile.Rows}x{tile.Columns}")}, {blocks} blocks at most, {condition}"));
    }

    /// <summary>Of a packed projection.</summary>
    /// <param name="device">On which.</param>
    /// <param name="one">What.</param>
    /// <param name="launch">Given the operands.</param>
    public static void CheckRope(GpuDevice device, LinearCase one, Action<LinearPrefillArguments> launch) => WithOperands(device, one, operands =>
        // One sequence goes over the border of a page, one begins; a row between them is nobody's.
        new RopeStep(one, [50, 0], [40, 29]).Check(device, arrays => launch(operands with
        {
            Output = arrays.Queries,
            RopeTable = arrays.RopeTable,
            Pages = arrays.Pages,
            Sequences = arrays.Sequences,
            PageTable = arrays.PageTable,
            PageBytes = arrays.PageBytes,
            SequenceCount = arrays.SequenceCount,
        })));

    private static float[] Run(GpuDevice device, LinearCase one, Action<LinearPrefillArguments> launch)
    {
        using DeviceFloats output = device.Allocate(one.Rows * one.Form.OutputColumns, one.Form.StoresFloat ? Graph.DType.F32 : one.Form.Storage);
        WithOperands(device, one, operands => launch(operands with { Output = new DevicePointer(output.Address) }));
        return output.Download();
    }

    private static void WithOperands(GpuDevice device, LinearCase one, Action<LinearPrefillArguments> launch)
    {
        using DeviceFloats input = device.Upload(one.Input, one.Form.Storage);
        using DeviceArray<byte> weight = one.UploadWeight(device);
        using DeviceArray<byte> scales = one.UploadScales(device);
        using DeviceFloats bias = one.UploadBias(device);
        using DeviceArray<float> residual = one.UploadResidual(device);
        using DeviceFloats loraDown = device.Upload(one.LoraDown, one.Form.Storage);
        using DeviceFloats loraUp = one.UploadLoraUp(device);
        using DeviceArray<int> visualRow = device.Upload(one.VisualRow);
        launch(new LinearPrefillArguments
        {
            Input = new DevicePointer(input.Address),
            Weight = new DevicePointer(weight.Address),
            WeightScale = new DevicePointer(scales.Address),
            Bias = new DevicePointer(bias.Address),
            Residual = new DevicePointer(residual.Address),
            LoraDown = new DevicePointer(loraDown.Address),
            LoraUp = new DevicePointer(loraUp.Address),
            VisualRow = new DevicePointer(visualRow.Address),
            Rows = one.Rows,
        });
    }

    private static string Describe(LinearCase one, string tile) =>
        $"{one.Form.Storage} {one.Rows} x {one.Form.InFeatures} x {one.Form.OutFeatures} {one.Form.Epilogue}, rank {one.Rank}, tile {tile}";
}
