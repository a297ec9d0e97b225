using XComposer2.Native.Cpu;
using XComposer2.Native.Graph;

namespace XComposer2.Native.UnitTests;

/// <summary>Operands of a linear, plain or gated, and what doubles make of them.</summary>
public sealed unsafe class LinearCase : IDisposable
{
    private readonly int inputs;

    private readonly int outputs;

    private readonly NativeFloats weight;

    private readonly Lazy<NativeFloats> up;

    // Of I8 weights; the same for gate and up.
    private readonly NativeFloats? scales;

    private readonly NativeFloats bias;

    private readonly NativeFloats residual;

    /// <param name="rows">Rows of x.</param>
    /// <param name="inputs">Columns of x.</param>
    /// <param name="outputs">Rows of the weights.</param>
    /// <param name="type">Of the weights and the bias; with I8 weights the bias is BF16, Partial LoRA too.</param>
    /// <param name="rank">0 without Partial LoRA.</param>
    /// <param name="visual">Null where all is text.</param>
    public LinearCase(int rows, int inputs, int outputs, DType type, int rank = 0, Func<int, bool>? visual = null)
    {
        this.inputs = inputs;
        this.outputs = outputs;
        Rows = rows;
        Rank = rank;
        double scale = 1 / Math.Sqrt(inputs);
        Input = NativeFloats.Random(rows * inputs, 1, 1, DType.F32, "input");
        double spread = type == DType.I8 ? 42 : scale;
        weight = NativeFloats.Random(outputs * inputs, 2, spread, type, "weight");
        DType stored = type;
        up = new Lazy<NativeFloats>(() => NativeFloats.Random(outputs * inputs, 3, spread, stored, "up"));
        if (type == DType.I8)
        {
            // A row of zeros has scale 0.
            scales = NativeFloats.Of([.. Enumerable.Range(0, outputs).Select(row => row % 7 == 3 ? 0 : scale / 42 * (1 + (row % 5)))], name: "scales");
            type = DType.BF16;
        }

        bias = NativeFloats.Random(outputs, 4, 1, type, "bias");
        residual = NativeFloats.Random(rows * outputs, 5, 1, DType.F32, "residual");

        // Types of their own: the kernels must not take one matrix's type for another's.
        DType other = type == DType.F16 ? DType.BF16 : DType.F16;
        LoraA = NativeFloats.Random(rank * inputs, 6, scale, type, "A");
        LoraB = NativeFloats.Random(outputs * rank, 7, rank == 0 ? 0 : 1 / Math.Sqrt(rank), other, "B");
        VisualRow = visual is null ? null : [.. Enumerable.Range(0, rows).Select(row => visual(row) ? row * 3 : -1 - row)];
    }

    public int Rows { get; }

    public int Rank { get; }

    public NativeFloats Input { get; }

    public NativeFloats LoraA { get; }

    public NativeFloats LoraB { get; }

    public int[]? VisualRow { get; }

    public bool Gated { get; init; }

    public bool HasBias { get; init; }

    public bool HasResidual { get; init; }

    public Activation Activation { get; init; }

    public float Scale { get; init; } = 2f;

    /// <summary>A product's rounding errors: running sums of inputs / 16 terms add sqrt of their number, and 16 of them again as much as 16 terms;
    /// the epilogue adds a few more. Units of 2^-24 relative to the norm, and the factor 2 is slack for sums that cancel.</summary>
    public double Tolerance => 2 * Math.Pow(2, -24) * (4 + Math.Sqrt((inputs / 16) + 16));

    public float[] Run(int threads, int width, bool withLora = true) => Run(0, Rows, threads, width, withLora);

    /// <summary>Runs a step of some of the rows.</summary>
    public float[] Run(int firstRow, int rowCount, int threads, int width, bool withLora = true)
    {
        using var pool = new WorkerPool(threads);
        using var output = new NativeFloats(rowCount * outputs, "output");
        LoraMatrices? lora = withLora && Rank > 0 ? new LoraMatrices(LoraA.Weight(Rank, inputs), LoraB.Weight(outputs, Rank), Scale) : null;
        LoraMatrices? upLora = withLora && Rank > 0 ? lora!.Value with { Scale = -Scale } : null;
        long scratchBytes = Gated
            ? GatedLinearKernel.ScratchBytes(rowCount, inputs, outputs, Rank, Rank, threads)
            : LinearKernel.ScratchBytes(rowCount, inputs, outputs, Rank, threads);
        using var scratch = new NativeFloats(checked((int)(scratchBytes / sizeof(float))), "scratch");
        float* x = Input.Pointer + ((nint)firstRow * inputs);
        fixed (int* map = VisualRow)
        {
            int* visualRow = map is null ? null : map + firstRow;
            if (Gated)
                GatedLinearKernel.Run(
                    x, rowCount, weight.Weight(outputs, inputs, scales), up.Value.Weight(outputs, inputs, scales), lora, upLora, visualRow,
                    output.Pointer, scratch.Pointer, scratchBytes, pool, (VectorWidth)width);
            else
                LinearKernel.Run(
                    x, rowCount, weight.Weight(outputs, inputs, scales), HasBias ? bias.Matrix(1, outputs) : null, Activation,
                    HasResidual ? residual.Pointer + ((nint)firstRow * outputs) : null, lora, visualRow,
                    output.Pointer, scratch.Pointer, scratchBytes, pool, (VectorWidth)width);
        }

        return output.Span.ToArray();
    }

    /// <summary>Compares with doubles: every row, every <paramref name="outputStep"/>th output and the last ones.</summary>
    public void Check(float[] actual, int outputStep, string what)
    {
        int[] picked = [.. Enumerable.Range(0, outputs).Where(o => o % outputStep == 0 || o >= outputs - 3)];
        double[] x = Input.ToDoubles(), gate = Picked(weight), upper = Gated ? Picked(up.Value) : [];
        double[] a = LoraA.ToDoubles(), b = LoraB.ToDoubles();
        var expected = new double[Rows * picked.Length];
        var found = new float[expected.Length];
        for (int row = 0; row < Rows; row++)
        {
            ReadOnlySpan<double> input = x.AsSpan(row * inputs, inputs);
            double[]? reduced = VisualRow is { } map && map[row] >= 0 && Rank > 0
                ? [.. Enumerable.Range(0, Rank).Select(r => Dot(x.AsSpan(row * inputs, inputs), a.AsSpan(r * inputs, inputs)))]
                : null;
            for (int i = 0; i < picked.Length; i++)
            {
                int output = picked[i];
                double low = reduced is null ? 0 : Scale * Dot(reduced, b.AsSpan(output * Rank, Rank));
                double sum = Dot(input, gate.AsSpan(i * inputs, inputs)) + low;
                expected[(row * picked.Length) + i] = Gated
                    ? sum / (1 + Math.Exp(-sum)) * (Dot(input, upper.AsSpan(i * inputs, inputs)) - low)
                    : Activate(sum + (HasBias ? bias[output] : 0)) + (HasResidual ? residual[(row * outputs) + output] : 0);
                found[(row * picked.Length) + i] = actual[(row * outputs) + output];
            }
        }

        Accuracy.Close(expected, found, Tolerance, what);

        double[] Picked(NativeFloats matrix) =>
            [.. picked.SelectMany(output => Enumerable.Range(output * inputs, inputs).Select(i => matrix[i] * (scales?[output] ?? 1)))];
    }

    public void Dispose()
    {
        foreach (NativeFloats buffer in new[] { Input, weight, bias, residual, LoraA, LoraB })
            buffer.Dispose();
        scales?.Dispose();
        if (up.IsValueCreated)
            up.Value.Dispose();
    }

    private static double Dot(ReadOnlySpan<double> left, ReadOnlySpan<double> right)
    {
        double sum = 0;
        for (int i = 0; i < left.Length; i++)
            sum += left[i] * right[i];
        return sum;
    }

    private double Activate(double x) => Activation switch
    {
        Activation.QuickGelu => x / (1 + Math.Exp(-1.702 * x)),
        Activation.Gelu => NormalTail.Gelu(x),
        _ => x,
    };
}
