using XComposer2.Native.Cuda;
using XComposer2.Native.Graph;
using XComposer2.Native.Kernels;

namespace XComposer2.Native.GpuTests;

/// <summary>Runs plain and gated cases on the device and compares.</summary>
internal static class PrefillRun
{
    public static void Check(GpuDevice device, LinearCase one, PrefillTile tile)
    {
        (double[] expected, double[] bounds) = one.Expected();
        Accuracy.Within(expected, bounds, Run(device, one, tile), Describe(one, tile));
    }

    public static float[] Run(GpuDevice device, LinearCase one, PrefillTile tile)
    {
        LinearPrefill kernel = new(one.Form, tile, one.Rank);
        using DeviceFloats input = device.Upload(one.Input, one.Form.Storage);
        using DeviceArray<byte> weight = one.UploadWeight(device);
        using DeviceArray<byte> scales = one.UploadScales(device);
        using DeviceFloats bias = one.UploadBias(device);
        using DeviceArray<float> residual = one.UploadResidual(device);
        using DeviceFloats loraDown = device.Upload(one.LoraDown, one.Form.Storage);
        using DeviceFloats loraUp = one.UploadLoraUp(device);
        using DeviceArray<int> visualRow = device.Upload(one.VisualRow);
        using DeviceFloats output = device.Allocate(one.Rows * one.Form.OutputColumns, one.Form.StoresFloat ? DType.F32 : one.Form.Storage);
        device.Run(kernel, kernel.Geometry(one.Rows), one.Arguments(input.Address, weight.Address, output.Address) with
        {
            WeightScale = new DevicePointer(scales.Address),
            Bias = new DevicePointer(bias.Address),
            Residual = new DevicePointer(residual.Address),
            LoraDown = new DevicePointer(loraDown.Address),
            LoraUp = new DevicePointer(loraUp.Address),
            VisualRow = new DevicePointer(visualRow.Address),
        });
        return output.Download();
    }

    private static string Describe(LinearCase one, PrefillTile tile) =>
        $"{one.Form.Storage} {one.Rows} x {one.Form.InFeatures} x {one.Form.OutFeatures} {one.Form.Epilogue}, rank {one.Rank}, tile {tile.Rows}x{tile.Columns}x{tile.Depth}";
}
