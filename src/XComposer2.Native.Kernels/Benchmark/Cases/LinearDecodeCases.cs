using XComposer2.Native.Cuda;
using XComposer2.Native.Graph;

namespace XComposer2.Native.Kernels;

/// <summary>Linears of few rows, with weights of the storage type, of 8 bits and, but for the head, of 4 bits.</summary>
internal static class LinearDecodeCases
{
    public static IEnumerable<KernelCase> Of(LinearDecode kernel, CaseContext context) => Streamed(kernel, context).Concat(Panels(kernel));

    // What prompts multiply in place of formats that tiles do not read; once for each weight.
    private static IEnumerable<KernelCase> Panels(LinearDecode kernel) =>
        from format in DeviceWeights.Streamed
        where DeviceWeights.Of(format).NeedsPanel && kernel is { BlockRows: 8, StagedRows: not 1 } && !IsHead(kernel.Form)
        from item in DequantizeCases.Of(new Dequantize(kernel.Form.Storage, format, kernel.Form.InFeatures, kernel.Form.OutFeatures))
        select item;

    private static IEnumerable<KernelCase> Streamed(LinearDecode kernel, CaseContext context) =>
        from format in IsHead(kernel.Form) ? [kernel.Form.Weights, WeightFormat.Int8] : (WeightFormat[])[kernel.Form.Weights, .. DeviceWeights.Streamed]
        from rows in context.Counts.DecodeRows
        where new LinearDecode(kernel.Form, kernel.HasNorm, rows).BlockRows == kernel.BlockRows && (!kernel.StagesInput || kernel.StagedRows == 1 == (rows == 1))
        select Case(new LinearDecode(kernel.Form with { Weights = format }, kernel.HasNorm, rows, kernel.StagesInput), rows, context);

    private static bool IsHead(LinearForm form) => form.StoresFloat && !form.HasResidual;

    private static KernelCase Case(LinearDecode kernel, int rows, CaseContext context)
    {
        CaseMemory memory = new();
        LinearForm form = kernel.Form;
        LinearCaseOperands operands = new(
            memory, form, kernel.HasNorm ? DType.F32 : form.Storage, rows, CacheOperands.Decoding(rows, context.Counts.LongestContext));
        long gain = memory.Values(form.Storage, form.InFeatures);
        string work = $"{LinearText.Of(form)}{(kernel.HasNorm ? ", normed" : "")}, {CaseContext.Count(rows, "row")}";
        return KernelCase.Create(work, kernel, kernel.Geometry(rows, context.Device), kernel.Cost(rows), memory, start => new LinearDecodeArguments
        {
            Input = operands.Input(start),
            Gain = start + gain,
            Weight = operands.Weight(start),
            WeightScale = operands.WeightScale(start),
            WeightZero = operands.WeightZero(start),
            Bias = operands.Bias(start),
            Residual = operands.Residual(start),
            Output = operands.Output(start),
            RopeTable = operands.Cache?.RopeTable(start) ?? default,
            Pages = operands.Cache?.Pages(start) ?? default,
            Sequences = operands.Cache?.SpanTable(start) ?? default,
            PageTable = operands.Cache?.PageTable(start) ?? default,
            PageBytes = operands.Cache?.PageBytes ?? 0,
            Rows = rows,
            SequenceCount = operands.Cache?.Spans.Count ?? 0,
            Epsilon = 1e-5f,
        });
    }
}
