using System.Globalization;
using XComposer2.Native.Graph;

namespace XComposer2.Native.Kernels;

/// <summary>Panels of the weights that a model has.</summary>
internal static class DequantizeCases
{
    public static IEnumerable<KernelCase> Of(Dequantize kernel)
    {
        CaseMemory memory = new();
        WeightFormat format = kernel.Format;
        long elements = (long)kernel.OutFeatures * kernel.InFeatures, groups = (long)kernel.OutFeatures * format.Groups(kernel.InFeatures);
        long weight = memory.Integers(format.Elements.Bytes(elements));
        long scale = format.HasRowScales ? memory.Scales(kernel.OutFeatures) : memory.Values(DType.F16, groups);
        long zero = format.HasZeroPoints ? memory.Zeros(groups) : 0;
        long order = format.HasGroupIndex ? memory.Given<int>(Enumerable.Range(0, kernel.InFeatures).ToArray()) : 0;
        long panel = memory.Result(kernel.Storage.Bytes(elements));
        string work = string.Create(CultureInfo.InvariantCulture, $"{kernel.OutFeatures}x{kernel.InFeatures} {format}");
        yield return KernelCase.Create(work, kernel, kernel.Geometry(), kernel.Cost(), memory, start => new DequantizeArguments(
            start + weight, start + scale, format.HasZeroPoints ? start + zero : default, format.HasGroupIndex ? start + order : default, start + panel));
    }
}
