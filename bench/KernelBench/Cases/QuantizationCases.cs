using XComposer2.Native.Kernels;

namespace XComposer2.Native.KernelBench;

/// <summary>Weights of one linear from and to 8 bits: those of the packed projection.</summary>
internal static class QuantizationCases
{
    public static IEnumerable<KernelCase> Of(QuantizeInt8 kernel, CaseContext context)
    {
        (int rows, int columns) = (context.Sizes.Attention.PackedColumns, context.Sizes.HiddenSize);
        CaseMemory memory = new();
        long values = memory.Values(kernel.Storage, (long)rows * columns);
        long quantized = memory.Result((long)rows * columns);
        long scales = memory.Result((long)rows * sizeof(float));
        yield return KernelCase.Create(
            FormattableString.Invariant($"{rows}x{columns}"), kernel, kernel.Geometry(rows), kernel.Cost(rows, columns), memory,
            start => new QuantizeInt8Arguments(start + values, start + quantized, start + scales, (uint)columns));
    }

    public static IEnumerable<KernelCase> Of(DequantizeInt8 kernel, CaseContext context)
    {
        (int rows, int columns) = (context.Sizes.Attention.PackedColumns, context.Sizes.HiddenSize);
        CaseMemory memory = new();
        long quantized = memory.Integers((long)rows * columns);
        long scales = memory.Scales(rows);
        long values = memory.Result((long)rows * columns * kernel.Storage.ElementBytes());
        yield return KernelCase.Create(
            FormattableString.Invariant($"{rows}x{columns}"), kernel, kernel.Geometry(rows), kernel.Cost(rows, columns), memory,
            start => new DequantizeInt8Arguments(start + quantized, start + scales, start + values, (uint)columns));
    }
}
