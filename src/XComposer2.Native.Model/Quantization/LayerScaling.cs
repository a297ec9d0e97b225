using XComposer2.Native.Graph;

namespace XComposer2.Native.Model;

/// <summary>
/// Makes columns that large inputs meet larger before a layer is rounded (AWQ). Columns of a weight, and of the A of its Partial LoRA, which has the same input, are multiplied with a power of two
/// for each channel, and what makes the input is divided by it: the gain of the norm before the packed projection, and before gate and up; rows of up, with its Partial LoRA's B, before the projection down.
/// Powers of two change no stored number but its exponent, so the layer computes what it did, on rows of text and of pictures. How much is searched: the exponent of the mean magnitudes that gives the
/// results' least error, nothing among them. Owns the changed weights.
/// </summary>
internal sealed unsafe class LayerScaling : IDisposable
{
    private const int MostExponent = 4;

    private static readonly float[] powers = [0, 0.25f, 0.5f, 0.75f, 1];

    private readonly Dictionary<string, (NativeBlock Block, HostTensor Tensor)> changed = new(StringComparer.Ordinal);
    private readonly Dictionary<string, float[]> columnScales = new(StringComparer.Ordinal);

    private LayerScaling()
    {
    }

    /// <param name="prefix">Of the layer's names, with its dot.</param>
    /// <param name="get">Stored weights; null for those that there are not.</param>
    /// <param name="formatOf">What a weight will be; null for what stays as stored.</param>
    /// <param name="inputs">Of the layer.</param>
    /// <param name="cancellation">Takes effect between weights.</param>
    public static LayerScaling Choose(string prefix, Func<string, HostTensor?> get, Func<string, WeightFormat?> formatOf, LayerInputs inputs, CancellationToken cancellation)
    {
        LayerScaling result = new();
        try
        {
            float[]? attention = Search(LinearInput.Attention, "attention.wqkv"), wide = Search(LinearInput.FeedForward, "feed_forward.w1", "feed_forward.w3"), gated = Search(LinearInput.Gated, "feed_forward.w2");
            result.Change(prefix + "attention_norm.weight", get, null, attention);
            result.ChangeLinear(prefix + "attention.wqkv", get, attention, null);
            result.Change(prefix + "ffn_norm.weight", get, null, wide);
            result.ChangeLinear(prefix + "feed_forward.w1", get, wide, null);
            result.ChangeLinear(prefix + "feed_forward.w3", get, wide, gated);
            result.ChangeLinear(prefix + "feed_forward.w2", get, gated, null);
            return result;
        }
        catch
        {
            result.Dispose();
            throw;
        }

        float[]? Search(LinearInput input, params string[] linears)
        {
            cancellation.ThrowIfCancellationRequested();
            var weights = new List<(HostTensor Tensor, WeightFormat Format)>();
            foreach (string linear in linears)
                if (formatOf(prefix + linear + ".weight") is { } format && get(prefix + linear + ".weight") is { } tensor)
                    weights.Add((tensor, format));
            return weights.Count == linears.Length ? BestScales(weights, inputs[input]) : null;
        }
    }

    /// <summary>A weight that was changed.</summary>
    public bool TryGet(string name, out HostTensor tensor)
    {
        bool found = changed.TryGetValue(name, out (NativeBlock Block, HostTensor Tensor) weight);
        tensor = weight.Tensor;
        return found;
    }

    /// <summary>What a weight's columns were multiplied with; null for nothing.</summary>
    public float[]? ColumnScalesOf(string name) => columnScales.GetValueOrDefault(name);

    public void Dispose()
    {
        foreach ((NativeBlock block, _) in changed.Values)
            block.Dispose();
        changed.Clear();
    }

    private static float[]? BestScales(List<(HostTensor Tensor, WeightFormat Format)> weights, InputRows inputs)
    {
        float[] magnitudes = Magnitudes(inputs);
        float[]? best = null;
        double least = double.MaxValue;
        foreach (float power in powers)
        {
            float[]? scales = power == 0 ? null : ScalesOf(magnitudes, power);
            double error = weights.Sum(weight => Math.Pow(OutputError.OfRounding(weight.Tensor, weight.Format, inputs, scales, isWeighted: true), 2));
            if (error < least)
                (best, least) = (scales, error);
        }

        return best;
    }

    private static float[] Magnitudes(InputRows inputs)
    {
        float[] sums = new float[inputs.Columns];
        for (int row = 0; row < inputs.Rows; row++)
            for (int column = 0; column < sums.Length; column++)
                sums[column] += Math.Abs(inputs.Row(row)[column]);
        return sums;
    }

    // Around the geometric mean, which stays as it is.
    private static float[] ScalesOf(float[] magnitudes, float power)
    {
        double[] logarithms = [.. magnitudes.Select(value => value > 0 ? Math.Log2(value) : double.NaN)];
        double mean = logarithms.Where(double.IsFinite).DefaultIfEmpty(0).Average();
        return [.. logarithms.Select(value => double.IsFinite(value) ? MathF.ScaleB(1, (int)Math.Clamp(Math.Round(power * (value - mean)), -MostExponent, MostExponent)) : 1)];
    }

    private void ChangeLinear(string linear, Func<string, HostTensor?> get, float[]? columns, float[]? rows)
    {
        Change(linear + ".weight", get, columns, rows);
        Change(linear + ".Plora_A.weight", get, columns, null);
        Change(linear + ".Plora_B.weight", get, null, rows);
        if (columns is not null)
            columnScales[linear + ".weight"] = columns;
    }

    // Columns are multiplied, rows divided.
    private void Change(string name, Func<string, HostTensor?> get, float[]? columns, float[]? rows)
    {
        if ((columns is null && rows is null) || get(name) is not { } stored)
            return;
        int rowCount = stored.Shape[0], columnCount = (int)(stored.Shape.ElementCount / rowCount);
        NativeBlock block = new(stored.Bytes);
        var tensor = new HostTensor(block.Address, stored.Type, stored.Shape);
        changed.Add(name, (block, tensor));
        ParallelQuantization.Run(rowCount, ScaleRow, CancellationToken.None);

        void ScaleRow(int row)
        {
            float[] values = new float[columnCount];
            FloatWidening.Widen(stored, (long)row * columnCount, values);
            for (int i = 0; i < columnCount; i++)
                values[i] *= (columns is null ? 1 : columns[i]) / (rows is null ? 1 : rows[row]);
            // Exact but for F16 near the ends of its range: only exponents change.
            if (stored.Type == DType.F16 && values.Any(value => Math.Abs(value) > (float)Half.MaxValue))
                throw new InvalidDataException($"{name}: expected values within F16 after scaling, found one beyond it in row {row}");
            HostTensorValues.Store(values, stored.Type, tensor.Data + (nint)stored.Type.Bytes((long)row * columnCount));
        }
    }
}
