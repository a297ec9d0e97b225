using XComposer2.Native.Graph;

namespace XComposer2.Native.TrainingTests;

/// <summary>The operations in double, written as their definitions read.</summary>
internal static class Mathematics
{
    public static double[] Linear(double[] x, double[] w, int rows, int inputs, int outputs)
    {
        double[] y = new double[rows * outputs];
        for (int row = 0; row < rows; row++)
            for (int o = 0; o < outputs; o++)
                for (int i = 0; i < inputs; i++)
                    y[(row * outputs) + o] += x[(row * inputs) + i] * w[(o * inputs) + i];
        return y;
    }

    public static double[] Lora(Dictionary<string, double[]> v, double[] y, string a, string b, (int Rows, int Inputs, int Outputs, int Rank) sizes, double scale, int[] visual)
    {
        double[] added = Linear(Linear(v["x"], v[a], sizes.Rows, sizes.Inputs, sizes.Rank), v[b], sizes.Rows, sizes.Rank, sizes.Outputs);
        return [.. y.Select((value, i) => visual[i / sizes.Outputs] >= 0 ? value + (scale * added[i]) : value)];
    }

    public static double Activate(double x, Activation activation) => activation switch
    {
        Activation.QuickGelu => x / (1 + Math.Exp(-1.702 * x)),
        Activation.Gelu => x * NormalShare(x),
        _ => x,
    };

    public static double[] Norm(double[] x, double[] w, double[]? b, int rows, int columns)
    {
        double[] y = new double[x.Length];
        for (int row = 0; row < rows; row++)
        {
            double[] values = x[(row * columns)..((row + 1) * columns)];
            double mean = b is null ? 0 : values.Average();
            double factor = 1 / Math.Sqrt(values.Average(value => Math.Pow(value - mean, 2)) + 1e-5f);
            for (int i = 0; i < columns; i++)
                y[(row * columns) + i] = ((values[i] - mean) * factor * w[i]) + (b?[i] ?? 0);
        }

        return y;
    }

    public static double[] CausalAttention(double[] packed, int tokens, AttentionGeometry geometry, double theta)
    {
        (int size, int group) = (geometry.HeadSize, geometry.GroupSize);
        double[] output = new double[tokens * geometry.QueryColumns];
        for (int head = 0; head < geometry.QueryHeads; head++)
        {
            int keyHead = head / group, first = keyHead * (group + 2) * size;
            double[][] queries = Heads(first + (head % group * size), true), keys = Heads(first + (group * size), true), values = Heads(first + ((group + 1) * size), false);
            for (int token = 0; token < tokens; token++)
                Attend(queries[token], keys[..(token + 1)], values, output.AsSpan((token * geometry.QueryColumns) + (head * size), size));
        }

        return output;

        double[][] Heads(int column, bool isRotated) => [.. Enumerable.Range(0, tokens).Select(token =>
        {
            double[] head = packed[((token * geometry.PackedColumns) + column)..((token * geometry.PackedColumns) + column + size)];
            return isRotated ? Rotate(head, token, theta) : head;
        })];
    }

    public static double[] VisionAttention(double[] q, double[] k, double[] v, int images, int tokens, int heads, int size)
    {
        int columns = heads * size;
        double[] output = new double[images * tokens * columns];
        for (int image = 0; image < images; image++)
            for (int head = 0; head < heads; head++)
            {
                double[][] queries = Heads(q), keys = Heads(k), values = Heads(v);
                for (int token = 0; token < tokens; token++)
                    Attend(queries[token], keys, values, output.AsSpan((((image * tokens) + token) * columns) + (head * size), size));

                double[][] Heads(double[] x) => [.. Enumerable.Range(0, tokens).Select(token =>
                {
                    int at = (((image * tokens) + token) * columns) + (head * size);
                    return x[at..(at + size)];
                })];
            }

        return output;
    }

    public static double[] Patches(Dictionary<string, double[]> v, int images, int size, int patch, int width)
    {
        int grid = size / patch, tokens = (grid * grid) + 1;
        double[] y = new double[images * tokens * width];
        for (int row = 0; row < images * tokens; row++)
            for (int o = 0; o < width; o++)
            {
                int token = row % tokens;
                double sum = v["positions"][(token * width) + o] + (token == 0 ? v["class"][o] : 0);
                for (int i = 0; token > 0 && i < 3 * patch * patch; i++)
                {
                    int channel = i / (patch * patch), line = ((token - 1) / grid * patch) + (i / patch % patch), column = ((token - 1) % grid * patch) + (i % patch);
                    sum += v["pixels"][((((row / tokens * 3) + channel) * size) + line) * size + column] * v["patch"][(o * 3 * patch * patch) + i];
                }

                y[(row * width) + o] = sum;
            }

        return y;
    }

    public static double[] TokenLoss(double[] logits, int vocabulary, int[] targets) =>
        [.. targets.Select((target, row) => Math.Log(logits.Skip(row * vocabulary).Take(vocabulary).Sum(Math.Exp)) - logits[(row * vocabulary) + target])];

    private static void Attend(double[] query, double[][] keys, double[][] values, Span<double> output)
    {
        double[] weights = [.. keys.Select(key => Math.Exp(key.Zip(query, (a, b) => a * b).Sum() / Math.Sqrt(query.Length)))];
        double sum = weights.Sum();
        for (int i = 0; i < output.Length; i++)
            for (int key = 0; key < weights.Length; key++)
                output[i] += weights[key] / sum * values[key][i];
    }

    private static double[] Rotate(double[] x, int position, double theta)
    {
        int half = x.Length / 2;
        double[] y = new double[x.Length];
        for (int i = 0; i < half; i++)
        {
            (double sine, double cosine) = Math.SinCos(position / Math.Pow(theta, 2.0 * i / x.Length));
            (y[i], y[half + i]) = ((x[i] * cosine) - (x[half + i] * sine), (x[half + i] * cosine) + (x[i] * sine));
        }

        return y;
    }

    // (1 + erf(x / sqrt 2)) / 2 by the series of the error function, which converges everywhere and is exact enough within the range of the tests.
    private static double NormalShare(double x)
    {
        double term = x, sum = x;
        for (int n = 1; n < 60; n++)
        {
            term *= -x * x / (2 * n);
            sum += term / ((2 * n) + 1);
        }

        return 0.5 + (sum / Math.Sqrt(2 * Math.PI));
    }
}
