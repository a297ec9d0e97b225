using XComposer2.Native.Cuda;
using XComposer2.Native.Graph;

namespace XComposer2.Native.Kernels;

/// <summary>Kernels of training, at the rows of the step that has a picture and the width of the decoder.</summary>
internal static class TrainingCases
{
    public static IEnumerable<KernelCase> Of(MatrixProduct kernel, CaseContext context)
    {
        (int rows, int columns, int depth) = kernel.Form == ProductForm.WeightGradient
            ? (context.HiddenSize, context.HiddenSize, Rows(context))
            : (Rows(context), context.HiddenSize, context.HiddenSize);
        CaseMemory memory = new();
        long a = memory.Values(DType.F32, (long)rows * depth), b = memory.Values(kernel.Right, (long)columns * depth), c = memory.Values(DType.F32, (long)rows * columns);
        bool accumulates = kernel.Form == ProductForm.WeightGradient;
        yield return KernelCase.Create(
            FormattableString.Invariant($"{kernel.Form switch { ProductForm.Linear => "x W", ProductForm.InputGradient => "g W", _ => "g x" }} {rows}x{columns}x{depth} of {kernel.Right.CudaName()} in {kernel.Operand.CudaName()}, tiles of {kernel.Tile}"),
            kernel, kernel.Geometry(rows, columns), kernel.Cost(rows, columns, depth), memory,
            start => new MatrixProductArguments(start + a, start + b, default, default, default, start + c, (uint)rows, (uint)columns, (uint)depth, 1, accumulates ? 1u : 0u));
    }

    public static IEnumerable<KernelCase> Of(AttentionRows kernel, CaseContext context)
    {
        (int rows, int heads) = (Rows(context), context.HiddenSize / kernel.HeadSize);
        CaseMemory memory = new();
        (AttentionHeads places, long packed) = Packed(kernel.HeadSize, kernel.GroupSize, heads, rows, memory);
        long gradient = memory.Values(DType.F32, (long)rows * heads * kernel.HeadSize), output = memory.Result((long)rows * heads * kernel.HeadSize * sizeof(float));
        yield return KernelCase.Create(
            FormattableString.Invariant($"{(kernel.HasStatistics ? "statistics of " : "")}{CaseContext.Count(rows, "row")}, {heads}/{heads / kernel.GroupSize} heads of {kernel.HeadSize}{(kernel.IsCausal ? "" : ", not causal")}, {kernel.Operand.CudaName()}"),
            kernel, kernel.Geometry(rows, heads), kernel.Cost(rows, heads, kernel.IsCausal ? rows / 2 : rows), memory,
            start => new AttentionRowsArguments(
                At(places, start + packed), new AttentionVisible(default, (uint)rows, (uint)rows), start + gradient, start + output, AttentionTile.Scale(kernel.HeadSize), (uint)heads));
    }

    public static IEnumerable<KernelCase> Of(AttentionGradient kernel, CaseContext context)
    {
        (int rows, int heads) = (Rows(context), context.HiddenSize / kernel.HeadSize);
        CaseMemory memory = new();
        (AttentionHeads places, long packed) = Packed(kernel.HeadSize, kernel.GroupSize, heads, rows, memory);
        long gradient = memory.Values(DType.F32, (long)rows * heads * kernel.HeadSize), statistics = memory.Values(DType.F32, 2L * rows * heads);
        long output = memory.Result((long)rows * places.RowStride * sizeof(float));
        yield return KernelCase.Create(
            FormattableString.Invariant($"{CaseContext.Count(rows, "row")}, {heads}/{heads / kernel.GroupSize} heads of {kernel.HeadSize}{(kernel.IsCausal ? "" : ", not causal")}, {kernel.Operand.CudaName()}"),
            kernel, kernel.Geometry(rows, heads), kernel.Cost(rows, heads, kernel.IsCausal ? rows / 2 : rows), memory,
            start =>
            {
                AttentionHeads to = At(places, start + output);
                return new AttentionGradientArguments(
                    At(places, start + packed), new AttentionVisible(default, (uint)rows, (uint)rows), start + gradient, start + statistics, to.Query, to.Key, to.Value, to.RowStride, to.GroupStride,
                    AttentionTile.Scale(kernel.HeadSize), (uint)heads);
            });
    }

    public static IEnumerable<KernelCase> Of(NormInputGradient kernel, CaseContext context)
    {
        (int rows, int columns) = (Rows(context), context.HiddenSize);
        CaseMemory memory = new();
        long gradient = Matrix(memory, rows, columns), x = Matrix(memory, rows, columns), weight = Matrix(memory, 1, columns), addend = Matrix(memory, rows, columns), output = Matrix(memory, rows, columns);
        yield return Case(kernel, kernel.Centred ? "centred" : "not centred", rows, columns, TrainingGrid.WarpForEach(rows, kernel.BlockThreads), NormInputGradient.Cost(rows, columns), memory,
            start => new NormInputGradientArguments(start + gradient, start + x, start + weight, start + addend, start + output, 1e-5f, (uint)rows, (uint)columns));
    }

    public static IEnumerable<KernelCase> Of(RowMoments kernel, CaseContext context)
    {
        (int rows, int columns) = (Rows(context), context.HiddenSize);
        CaseMemory memory = new();
        long x = Matrix(memory, rows, columns), moments = Matrix(memory, rows, 2);
        yield return Case(kernel, kernel.Centred ? "centred" : "not centred", rows, columns, TrainingGrid.WarpForEach(rows, kernel.BlockThreads), RowMoments.Cost(rows, columns), memory,
            start => new RowMomentsArguments(start + x, start + moments, 1e-5f, (uint)rows, (uint)columns));
    }

    public static IEnumerable<KernelCase> Of(ColumnSums kernel, CaseContext context)
    {
        (int rows, int columns) = (Rows(context), context.HiddenSize);
        CaseMemory memory = new();
        long gradient = Matrix(memory, rows, columns), x = Matrix(memory, rows, columns), moments = Matrix(memory, rows, 2), output = Matrix(memory, 1, columns);
        yield return Case(kernel, kernel.Normed ? "of a norm" : "of a bias", rows, columns, kernel.Geometry(columns, 1), kernel.Cost(rows, columns, 1), memory,
            start => new ColumnSumsArguments(start + gradient, start + x, start + moments, start + output, (uint)rows, (uint)columns, 1));
    }

    public static IEnumerable<KernelCase> Of(Rotary kernel, CaseContext context)
    {
        (int rows, int heads) = (Rows(context), context.HiddenSize / kernel.HeadSize / kernel.GroupSize * (kernel.GroupSize + 2));
        CaseMemory memory = new();
        long packed = Matrix(memory, rows, heads * kernel.HeadSize), table = Matrix(memory, rows, kernel.HeadSize), output = Matrix(memory, rows, heads * kernel.HeadSize);
        yield return Case(kernel, kernel.Inverse ? "backwards" : "forwards", rows, heads * kernel.HeadSize, kernel.Geometry(rows), kernel.Cost(rows, heads), memory,
            start => new RotaryArguments(start + packed, start + table, default, start + output, (uint)rows, (uint)heads));
    }

    public static IEnumerable<KernelCase> Of(ScatterRows kernel, CaseContext context)
    {
        (int rows, int columns) = (Rows(context), context.HiddenSize);
        CaseMemory memory = new();
        long gradient = Matrix(memory, rows, columns), rowOf = memory.Given<int>([.. Enumerable.Range(0, rows).Select(row => rows - 1 - row)]), output = Matrix(memory, rows, columns);
        yield return Case(kernel, kernel.Adds ? "added" : "written", rows, columns, kernel.Geometry(rows, rows), kernel.Cost(rows, rows, columns), memory,
            start => new ScatterRowsArguments(start + gradient, start + rowOf, default, start + output, (uint)rows, (uint)columns, (uint)rows));
    }

    public static IEnumerable<KernelCase> Of(Rearrange kernel, CaseContext context)
    {
        // A picture of 4 x 4 patches of 8 pixels, where pixels are asked for.
        (int tokens, int patch, int side) = (17, 8, 32);
        (int rows, int columns) = kernel.Kind switch
        {
            Rearrangement.SliceColumns => (Rows(context), context.HiddenSize), Rearrangement.InsertClassTokens => (tokens, context.HiddenSize), _ => (tokens, 3 * patch * patch),
        };
        CaseMemory memory = new();
        long input = Matrix(memory, rows, 3 * columns), output = Matrix(memory, rows, columns);
        yield return Case(kernel, kernel.Kind.ToString(), rows, columns, TrainingGrid.Of((long)rows * columns, kernel.BlockThreads, kernel.BlockThreads), Rearrange.Cost((long)rows * columns), memory,
            start => new RearrangeArguments(start + input, start + output, (uint)rows, (uint)columns, (uint)(3 * columns), (uint)columns, (uint)tokens, (uint)side, (uint)patch));
    }

    public static IEnumerable<KernelCase> Of(Pointwise kernel, CaseContext context)
    {
        (int rows, int columns) = (Rows(context), context.HiddenSize);
        long count = (long)rows * columns;
        CaseMemory memory = new();
        long a = Matrix(memory, rows, columns), b = Matrix(memory, rows, columns), c = Matrix(memory, rows, columns), output = Matrix(memory, rows, columns), seed = memory.Given<int>([1]);
        yield return Case(kernel, kernel.Function.ToString(), rows, columns, kernel.Geometry(count), kernel.Cost(count), memory, start => new PointwiseArguments(
            start + a, kernel.Inputs > 1 ? start + b : default, kernel.Inputs > 2 ? start + c : default, start + output, (ulong)count, start + seed, 1, 0, 1u << 31));
    }

    public static IEnumerable<KernelCase> Of(TokenLoss kernel, CaseContext context)
    {
        (int rows, int columns) = (Math.Min(Rows(context), TrainingLowering.PieceRows), context.VocabularySize);
        CaseMemory memory = new();
        long logits = Matrix(memory, rows, columns), targets = memory.Given<int>(new int[rows]), factors = Matrix(memory, rows, 1), output = Matrix(memory, rows, columns);
        yield return Case(kernel, kernel.Function.ToString(), rows, columns, kernel.Geometry(rows), kernel.Cost(rows, columns), memory,
            start => new TokenLossArguments(start + logits, start + targets, start + factors, start + output, (uint)rows, (uint)columns));
    }

    public static IEnumerable<KernelCase> Of(AdamW kernel)
    {
        const int Count = 1 << 20;
        CaseMemory memory = new();
        long values = Matrix(memory, 1, Count), gradient = Matrix(memory, 1, Count), first = memory.Zeros(Count * sizeof(float)), second = memory.Zeros(Count * sizeof(float));
        yield return Case(kernel, "a parameter", 1, Count, kernel.Geometry(Count), AdamW.Cost(Count), memory,
            start => new AdamWArguments(start + values, start + gradient, start + first, start + second, Count, 0.9f, 0.95f, 1e-8f, 1, 1e-4f, 1, 1));
    }

    public static IEnumerable<KernelCase> Of(SumOfSquares kernel)
    {
        const int Count = 1 << 20;
        CaseMemory memory = new();
        long values = Matrix(memory, 1, Count), sums = memory.Result(SumOfSquares.Blocks(Count) * sizeof(double));
        yield return Case(kernel, "gradients", 1, Count, kernel.Geometry(Count), SumOfSquares.Cost(Count), memory, start => new SumOfSquaresArguments(start + values, start + sums, Count));
    }

    private static KernelCase Case<TArguments>(
        KernelDefinition kernel, string what, int rows, int columns, LaunchGeometry geometry, KernelCost cost, CaseMemory memory, Func<DevicePointer, TArguments> arguments)
        where TArguments : unmanaged =>
        KernelCase.Create(FormattableString.Invariant($"{what}, {CaseContext.Count(rows, "row")} of {columns}"), kernel, geometry, cost, memory, arguments);

    private static int Rows(CaseContext context) => context.Counts.PrefillSteps.First(step => step.VisualRows > 0 && step.VisualRows < step.Rows).Rows;

    private static long Matrix(CaseMemory memory, int rows, int columns) => memory.Values(DType.F32, (long)rows * columns);

    // Offsets from the start of the packed rows, in place of addresses.
    private static (AttentionHeads Offsets, long Packed) Packed(int headSize, int groupSize, int heads, int rows, CaseMemory memory)
    {
        int columns = heads / groupSize * (groupSize + 2) * headSize;
        var offsets = new AttentionHeads(
            default, new DevicePointer((ulong)(groupSize * headSize * sizeof(float))), new DevicePointer((ulong)((groupSize + 1) * headSize * sizeof(float))), (uint)columns, (uint)((groupSize + 2) * headSize));
        return (offsets, Matrix(memory, rows, columns));
    }

    private static AttentionHeads At(AttentionHeads offsets, DevicePointer start) =>
        offsets with { Query = start, Key = start + (long)offsets.Key.Address, Value = start + (long)offsets.Value.Address };
}
