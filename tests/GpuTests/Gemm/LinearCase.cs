using XComposer2.Native.Graph;
using XComposer2.Native.Kernels;

namespace XComposer2.Native.GpuTests;

/// <summary>A linear with random operands, in the model's order and as the device has them, and what it should give, in double precision.</summary>
public sealed class LinearCase
{
    private readonly float[] weight;
    private readonly float[] bias;
    private readonly float[] residual;
    private readonly QuantisedRows? rows;

    /// <param name="form">What is tested.</param>
    /// <param name="rows">Rows of the input.</param>
    /// <param name="rank">Of Partial LoRA; 0 for none.</param>
    /// <param name="isVisual">Which rows have it.</param>
    /// <param name="hasNorm">The input is the residual stream, and is normed first.</param>
    public LinearCase(LinearForm form, int rows, int rank = 0, Func<int, bool>? isVisual = null, bool hasNorm = false)
    {
        Form = form;
        Rows = rows;
        Rank = rank;
        HasNorm = hasNorm;
        VisualRow = [.. Enumerable.Range(0, rows).Select(row => isVisual is null || !isVisual(row) ? -1 : row)];
        DType storage = form.Storage;
        Input = StoredFloats.Random(rows * form.InFeatures, 1, hasNorm ? DType.F32 : storage, hasNorm ? 3 : 1);
        Gain = StoredFloats.Random(form.InFeatures, 2, storage);
        double deviation = 1 / Math.Sqrt(form.InFeatures);
        weight = StoredFloats.Random(form.OutFeatures * form.InFeatures, 3, storage, deviation);
        bias = StoredFloats.Random(form.OutFeatures, 4, storage);
        residual = StoredFloats.Random(rows * form.OutFeatures, 5, DType.F32);
        LoraDown = StoredFloats.Random(rows * LoraInputs * rank, 6, storage);
        LoraUp = StoredFloats.Random(form.OutFeatures * rank, 7, storage, rank == 0 ? 1 : 1 / Math.Sqrt(rank));
        for (int i = 0; i < LoraDown.Length; i++)
            if (VisualRow[i / (LoraInputs * rank)] < 0) LoraDown[i] = 0;
        if (form.Weights.IsFloat)
            return;
        this.rows = new QuantisedRows(form.Weights, form.OutFeatures, form.InFeatures, deviation);
        weight = this.rows.Values;
    }

    public LinearForm Form { get; }

    public int Rows { get; }

    public int Rank { get; }

    public bool HasNorm { get; }

    public int[] VisualRow { get; }

    public float[] Input { get; }

    public float[] Gain { get; }

    /// <summary>T [rows, inputs x rank].</summary>
    public float[] LoraDown { get; }

    /// <summary>B [out, rank], in the model's order.</summary>
    public float[] LoraUp { get; }

    public const float Epsilon = 1e-5f;

    public int LoraInputs => Form.Epilogue == LinearEpilogue.Gated ? 2 : 1;

    /// <summary>The row of the model that stands in a row on the device.</summary>
    public int Source(int row) => Form.Epilogue switch
    {
        LinearEpilogue.Gated => RowPermutation.GateUp(row, Form.OutFeatures / 2),
        LinearEpilogue.RopeKvAppend => RowPermutation.Rope(row, Form.Heads),
        _ => row,
    };

    public DeviceArray<byte> UploadWeight(GpuDevice device) =>
        device.Upload<byte>(rows is null ? StoredFloats.Encode(Ordered(weight, Form.InFeatures), Form.Storage) : rows.Packed(WeightPart.Elements, Source));

    public DeviceArray<byte> UploadScales(GpuDevice device) => UploadPart(device, WeightPart.Scales);

    public DeviceArray<byte> UploadZeros(GpuDevice device) => UploadPart(device, WeightPart.ZeroPoints);

    public DeviceArray<int> UploadColumnOrder(GpuDevice device) => device.Upload(rows?.Order ?? [0]);

    public DeviceFloats UploadBias(GpuDevice device) => device.Upload(Ordered(bias, 1), Form.Storage);

    public DeviceFloats UploadLoraUp(GpuDevice device) => device.Upload(Ordered(LoraUp, Math.Max(1, Rank)), Form.Storage);

    public DeviceArray<float> UploadResidual(GpuDevice device) => device.Upload(residual);

    /// <summary>The product with everything before the finish, and how far a kernel may be from it: [rows, out] in the model's order.</summary>
    public (double[] Sums, double[] Bounds) Product()
    {
        int columns = Form.OutFeatures;
        double[] sums = new double[Rows * columns], bounds = new double[Rows * columns];
        for (int row = 0; row < Rows; row++)
        {
            double[] x = Normed(row, out double norm);
            for (int column = 0; column < columns; column++)
                (sums[(row * columns) + column], bounds[(row * columns) + column]) = Sum(x, norm, row, column);
        }
        return (sums, bounds);
    }

    /// <summary>What a plain or gated linear stores.</summary>
    public (double[] Values, double[] Bounds) Expected()
    {
        (double[] sums, double[] bounds) = Product();
        int columns = Form.OutputColumns;
        double[] values = new double[Rows * columns], outputBounds = new double[values.Length];
        for (int i = 0; i < values.Length; i++)
        {
            int row = i / columns, column = i % columns;
            (double value, double bound) = Form.Epilogue == LinearEpilogue.Gated
                ? References.Gate(sums[(row * 2 * columns) + column], bounds[(row * 2 * columns) + column], sums[(((row * 2) + 1) * columns) + column], bounds[(((row * 2) + 1) * columns) + column])
                : References.Activate(Form.Activation, sums[i], bounds[i]);
            if (Form.HasResidual) value += residual[i];
            values[i] = value;
            outputBounds[i] = bound + Accuracy.Stored(value, Form.StoresFloat ? DType.F32 : Form.Storage);
        }
        return (values, outputBounds);
    }

    private (double Sum, double Bound) Sum(double[] x, double norm, int row, int column)
    {
        int inputs = Form.InFeatures;
        ProductSum sum = default;
        HalfSumErrors half = default;
        for (int place = 0; place < inputs; place++)
        {
            int k = rows?.Order is { } order ? order[place] : place;
            sum.Add(x[k] * weight[(column * inputs) + k]);
            half.Add(place, x[k] * weight[(column * inputs) + k]);
        }

        half.EndSlice();
        sum.Scale(norm * (rows?.RowScale(column) ?? 1));
        int which = Form.Epilogue == LinearEpilogue.Gated && column >= Form.OutFeatures / 2 ? 1 : 0;
        for (int k = 0; k < Rank && VisualRow[row] >= 0; k++)
        {
            double term = (double)LoraDown[(((row * LoraInputs) + which) * Rank) + k] * LoraUp[(column * Rank) + k];
            sum.Add(term);
            // Beside gate and up it stays in F32.
            if (Form.Epilogue != LinearEpilogue.Gated)
                half.Add(k, term);
        }

        half.EndSlice();
        double value = sum.Value + (Form.HasBias ? bias[column] : 0);
        // Scales and norms are multiplied in F32, a few roundings more.
        return (value, sum.Bound(Form.Storage) + (Form.HasHalfSums ? half.Bound : 0) + (4 * Accuracy.Rounding(DType.F32) * Math.Abs(value)));
    }

    // The row as the kernel multiplies it, and the factor that comes after the sum.
    private double[] Normed(int row, out double norm)
    {
        double[] x = new double[Form.InFeatures];
        double squares = 0;
        for (int k = 0; k < x.Length; k++)
        {
            float value = Input[(row * x.Length) + k];
            squares += (double)value * value;
            x[k] = HasNorm ? StoredFloats.Round(value * Gain[k], Form.Storage) : value;
        }
        norm = HasNorm ? 1 / Math.Sqrt((squares / x.Length) + Epsilon) : 1;
        return x;
    }

    // A byte where there is no such part.
    private DeviceArray<byte> UploadPart(GpuDevice device, WeightPart part) =>
        device.Upload<byte>(rows is not null && Form.Weights.Has(part) ? rows.Packed(part, Source) : [0]);

    private T[] Ordered<T>(T[] rows, int columns)
    {
        T[] ordered = new T[rows.Length];
        for (int row = 0; row < rows.Length / columns; row++)
            Array.Copy(rows, Source(row) * columns, ordered, row * columns, columns);
        return ordered;
    }
}
