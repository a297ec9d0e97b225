using XComposer2.Native.Cuda;
using XComposer2.Native.Graph;

namespace XComposer2.Native.Kernels;

/// <summary>Kernels that move rows, and the patches of a picture.</summary>
internal static class RowCases
{
    public static IEnumerable<KernelCase> Of(RmsNorm kernel, CaseContext context) =>
        from rows in (int[])[.. context.Counts.DecodeRows.Take(1), .. StepRows(context)]
        select Norm(rows, kernel, kernel.Storage, kernel.Output, kernel.Cost(rows), (input, gain, _, output) => new RmsNormArguments(input, gain, output, 1e-5f, (uint)rows));

    public static IEnumerable<KernelCase> Of(LayerNorm kernel, CaseContext context)
    {
        int rows = context.Patches + 1;
        yield return Norm(rows, kernel, kernel.Storage, kernel.Output, kernel.Cost(rows), (input, gain, bias, output) => new LayerNormArguments(input, gain, bias, output, 1e-5f, (uint)rows));
    }

    public static IEnumerable<KernelCase> Of(EmbedTokens kernel, CaseContext context)
    {
        yield return Embed(kernel, new PrefillStep(context.Counts.DecodeRows[0], 0), context);
        foreach (PrefillStep step in context.Counts.PrefillSteps)
            yield return Embed(kernel, step, context);
    }

    public static IEnumerable<KernelCase> Of(SelectRows kernel, CaseContext context)
    {
        int inputRows = StepRows(context).Max();
        foreach (int rows in context.Counts.DecodeRows)
        {
            CaseMemory memory = new();
            long input = memory.Values(DType.F32, (long)inputRows * kernel.Columns);
            long chosen = memory.Given<int>([.. Enumerable.Range(0, rows).Select(row => inputRows - 1 - row)]);
            long output = memory.Result((long)rows * kernel.Columns * kernel.Output.ElementBytes());
            yield return KernelCase.Create(
                FormattableString.Invariant($"{CaseContext.Count(rows, "row")} of {kernel.Columns}"), kernel, kernel.Geometry(rows), kernel.Cost(rows), memory,
                start => new SelectRowsArguments(start + input, start + chosen, start + output, (uint)inputRows, (uint)rows));
        }
    }

    public static IEnumerable<KernelCase> Of(SelectPatches kernel, CaseContext context)
    {
        int rows = context.Patches;
        CaseMemory memory = new();
        long input = memory.Values(DType.F32, (rows + 1L) * kernel.Columns);
        long output = memory.Result((long)rows * kernel.Columns * kernel.Output.ElementBytes());
        yield return KernelCase.Create(
            FormattableString.Invariant($"{rows} rows of {kernel.Columns}"), kernel, kernel.Geometry(rows), kernel.Cost(rows), memory,
            start => new SelectPatchesArguments(start + input, start + output, (uint)rows, (uint)rows));
    }

    public static IEnumerable<KernelCase> Of(PatchEmbedding kernel)
    {
        CaseMemory memory = new();
        long side = kernel.ImageSize, positions = (kernel.Patches + 1L) * kernel.Width;
        long pixels = memory.Values(DType.F32, 3 * side * side);
        long weight = memory.Values(kernel.Storage, 3L * kernel.PatchSize * kernel.PatchSize * kernel.Width);
        long classToken = memory.Values(DType.F32, kernel.Width);
        long table = memory.Values(DType.F32, positions);
        long output = memory.Result(positions * sizeof(float));
        yield return KernelCase.Create(
            FormattableString.Invariant($"{side}x{side} pixels, patches of {kernel.PatchSize}, width {kernel.Width}"),
            kernel, kernel.Geometry(images: 1), kernel.Cost(images: 1), memory,
            start => new PatchEmbeddingArguments(start + pixels, start + weight, start + classToken, start + table, start + output, Images: 1));
    }

    private static IEnumerable<int> StepRows(CaseContext context) => context.Counts.PrefillSteps.Select(step => step.Rows).Distinct();

    private static KernelCase Norm<TOperation, TArguments>(
        int rows, RowKernel<TOperation> kernel, DType storage, DType stored, KernelCost cost,
        Func<DevicePointer, DevicePointer, DevicePointer, DevicePointer, TArguments> arguments)
        where TOperation : Operation
        where TArguments : unmanaged
    {
        CaseMemory memory = new();
        long input = memory.Values(DType.F32, (long)rows * kernel.Columns);
        long gain = memory.Values(storage, kernel.Columns);
        long bias = memory.Values(storage, kernel.Columns);
        long output = memory.Result((long)rows * kernel.Columns * stored.ElementBytes());
        return KernelCase.Create(
            FormattableString.Invariant($"{CaseContext.Count(rows, "row")} of {kernel.Columns} to {stored.CudaName()}"), kernel, kernel.Geometry(rows), cost, memory,
            start => arguments(start + input, start + gain, start + bias, start + output));
    }

    private static KernelCase Embed(EmbedTokens kernel, PrefillStep step, CaseContext context)
    {
        int vocabulary = context.VocabularySize, textRows = step.Rows - step.VisualRows;
        CaseMemory memory = new();
        // Spread over the table, as text is.
        long ids = memory.Given<int>([.. Enumerable.Range(0, step.Rows).Select(row => (int)(row * 7919L % vocabulary))]);
        bool hasScales = !kernel.Storage.IsFloat();
        long table = hasScales ? memory.Integers((long)vocabulary * kernel.Columns) : memory.Values(kernel.Storage, (long)vocabulary * kernel.Columns);
        long? scale = hasScales ? memory.Scales(vocabulary) : null;
        long? visual = step.VisualRows > 0 ? memory.Values(DType.F32, (long)step.VisualRows * kernel.Columns) : null;
        long visualRow = memory.Given<int>([.. Enumerable.Range(0, step.Rows).Select(row => row < step.VisualRows ? row : -1)]);
        long output = memory.Result((long)step.Rows * kernel.Columns * sizeof(float));
        return KernelCase.Create(
            FormattableString.Invariant($"{CaseContext.Count(step.Rows, "row")} of {kernel.Columns}, {step.VisualRows} of them visual{(hasScales ? ", of an int8 table" : "")}"),
            kernel, kernel.Geometry(step.Rows), kernel.Cost(textRows, step.VisualRows), memory,
            start => new EmbedTokensArguments(
                start + ids, start + table, scale is { } scales ? start + scales : default, visual is { } rows ? start + rows : default, start + visualRow, start + output,
                (uint)step.Rows, (uint)vocabulary, (uint)step.VisualRows));
    }
}
