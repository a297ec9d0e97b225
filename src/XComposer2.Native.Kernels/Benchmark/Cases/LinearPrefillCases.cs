using XComposer2.Native.Cuda;
using XComposer2.Native.Graph;

namespace XComposer2.Native.Kernels;

/// <summary>Linears of many rows. The tile is the one that the device would be given for so many rows, whichever the catalog lists. Those of the decoder
/// run with Partial LoRA on some rows and on none, without it, and with weights of 8 bits.</summary>
internal static class LinearPrefillCases
{
    public static IEnumerable<KernelCase> Of(LinearPrefill kernel, CaseContext context) => Of(kernel.Form, kernel.LoraRank, context);

    public static IEnumerable<KernelCase> Of(LinearWgmma kernel, CaseContext context) => Of(kernel.Form, kernel.LoraRank, context);

    public static IEnumerable<KernelCase> Of(LoraDown kernel, CaseContext context) =>
        from step in context.Counts.PrefillSteps
        where step.VisualRows > 0
        let parts = kernel.Split(step.Rows).Parts(context.Device.Multiprocessors)
        let operands = new LoraDownCaseOperands(kernel.Storage, kernel.InFeatures, kernel.OutFeatures, step, kernel.Split(step.Rows), parts)
        select KernelCase.Create(operands.Work, kernel, kernel.Geometry(step.Rows, parts), kernel.Cost(step.Rows, step.VisualRows), operands.Memory, operands.Arguments);

    public static IEnumerable<KernelCase> Of(LoraDownWgmma kernel, CaseContext context) =>
        from step in context.Counts.PrefillSteps
        where step.VisualRows > 0
        let parts = kernel.Split(step.Rows).Parts(context.Device.Multiprocessors)
        let operands = new LoraDownCaseOperands(kernel.Form.Storage, kernel.Form.InFeatures, kernel.Form.OutFeatures, step, kernel.Split(step.Rows), parts)
        select KernelCase.Create(
            operands.Work, kernel, kernel.Geometry(step.Rows, parts), kernel.Cost(step.Rows, step.VisualRows), operands.Memory,
            (device, start) => kernel.Arguments(device, operands.Arguments(start)));

    private static IEnumerable<KernelCase> Of(LinearForm form, int loraRank, CaseContext context) =>
        // Only the linears of pictures have a bias.
        form.HasBias
            ? [Picture(form, context)]
            : Decoder(form, loraRank, context);

    private static KernelCase Picture(LinearForm form, CaseContext context)
    {
        // The projector comes after the class token is gone.
        bool isProjector = form.OutFeatures == context.HiddenSize && form.Activation != Activation.QuickGelu;
        int rows = context.Patches + (isProjector ? 0 : 1);
        return Case(form, 0, new PrefillStep(rows, 0), context);
    }

    private static IEnumerable<KernelCase> Decoder(LinearForm form, int loraRank, CaseContext context)
    {
        IReadOnlyList<PrefillStep> steps = context.Counts.PrefillSteps;
        return
        [
            .. steps.Select(step => Case(form, loraRank, step, context)),
            .. steps.Select(step => Case(form, 0, step with { VisualRows = 0 }, context)),
            .. DeviceWeights.Tiled.SelectMany(format => steps.Select(step => Case(form with { Weights = format, HasHalfSums = false }, loraRank, step, context))),
        ];
    }

    private static KernelCase Case(LinearForm form, int loraRank, PrefillStep step, CaseContext context)
    {
        OperationKernel kernel = LinearTiles.Choose(context.Device, form, step.Rows, loraRank);
        int loraInputs = loraRank == 0 ? 0 : form.Epilogue == LinearEpilogue.Gated ? 2 : 1;
        CaseMemory memory = new();
        LinearCaseOperands operands = new(memory, form, form.Storage, step.Rows, CacheOperands.Prefilling(step.Rows, step.Rows));
        long? loraDown = loraRank > 0 ? memory.Values(form.Storage, (long)step.Rows * loraInputs * loraRank) : null;
        long? loraUp = loraRank > 0 ? memory.Values(form.Storage, (long)form.OutFeatures * loraRank) : null;
        long visualRow = memory.Given<int>(VisualRows(step));
        string lora = loraRank == 0 ? "" : FormattableString.Invariant($", lora {loraRank} on {step.VisualRows}");
        string work = $"{LinearText.Of(form)}{lora}, {CaseContext.Count(step.Rows, "row")}";
        return kernel switch
        {
            LinearWgmma wgmma => KernelCase.Create(
                work, wgmma, wgmma.Geometry(step.Rows, context.Device.Multiprocessors), wgmma.Cost(step.Rows, step.VisualRows), memory,
                (device, start) => wgmma.Arguments(device, Arguments(start)), wgmma.CountTiles(step.Rows)),
            LinearPrefill prefill => KernelCase.Create(work, prefill, prefill.Geometry(step.Rows), prefill.Cost(step.Rows, step.VisualRows), memory, Arguments),
            _ => throw new NotSupportedException($"no case of {kernel.Entry}"),
        };

        LinearPrefillArguments Arguments(DevicePointer start) => new()
        {
            Input = operands.Input(start),
            Weight = operands.Weight(start),
            WeightScale = operands.WeightScale(start),
            Bias = operands.Bias(start),
            Residual = operands.Residual(start),
            Output = operands.Output(start),
            LoraDown = loraDown is { } down ? start + down : default,
            LoraUp = loraUp is { } up ? start + up : default,
            VisualRow = start + visualRow,
            RopeTable = operands.Cache?.RopeTable(start) ?? default,
            Pages = operands.Cache?.Pages(start) ?? default,
            Sequences = operands.Cache?.SpanTable(start) ?? default,
            PageTable = operands.Cache?.PageTable(start) ?? default,
            PageBytes = operands.Cache?.PageBytes ?? 0,
            Rows = step.Rows,
            SequenceCount = operands.Cache?.Spans.Count ?? 0,
        };
    }

    /// <summary>The picture first.</summary>
    internal static int[] VisualRows(PrefillStep step) => [.. Enumerable.Range(0, step.Rows).Select(row => row < step.VisualRows ? row : -1)];
}

/// <summary>What both kernels of Partial LoRA's lower half read and write.</summary>
internal sealed class LoraDownCaseOperands
{
    private readonly PrefillStep step;
    private readonly long input, a, visualRow, output;
    private readonly long? parts, arrivals;

    public LoraDownCaseOperands(DType storage, int inFeatures, int outFeatures, PrefillStep step, SplitSums split, int partCount)
    {
        this.step = step;
        input = Memory.Values(storage, (long)step.Rows * inFeatures);
        a = Memory.Values(storage, (long)outFeatures * inFeatures);
        visualRow = Memory.Given<int>(LinearPrefillCases.VisualRows(step));
        output = Memory.Result((long)step.Rows * outFeatures * storage.ElementBytes());
        parts = partCount > 1 ? Memory.Result(split.Tiles * partCount * split.TileBytes) : null;
        arrivals = partCount > 1 ? Memory.Zeros(SplitSums.ArrivalBytes) : null;
        Work = FormattableString.Invariant($"{outFeatures}x{inFeatures}, {step.Rows} rows, {step.VisualRows} of them visual");
    }

    public CaseMemory Memory { get; } = new();

    public string Work { get; }

    public LoraDownArguments Arguments(DevicePointer start) => new(
        start + input, start + a, start + visualRow, start + output, parts is { } part ? start + part : default, arrivals is { } counter ? start + counter : default,
        Scale: 1, step.Rows);
}
