using XComposer2.Native.Graph;

namespace XComposer2.Native.Model;

/// <summary>What integers lose of a linear's results on the calibration inputs: relative L2 over some outputs and some inputs, evenly taken.</summary>
internal static unsafe class OutputError
{
    private const int MostOutputs = 96, MostInputs = 256;

    /// <param name="weights">[outputs, inputs] as they were rounded.</param>
    /// <param name="format">Of the integers.</param>
    /// <param name="integers">Of the same shape.</param>
    /// <param name="inputs">Of the linear.</param>
    /// <param name="columnScales">What the weights' columns were multiplied with, and the inputs were not; null for nothing.</param>
    public static double Of(HostTensor weights, WeightFormat format, IQuantizedMatrix integers, InputRows inputs, float[]? columnScales = null)
    {
        int columns = weights.Shape[1];
        int[] outputs = Evenly(weights.Shape[0], MostOutputs), samples = Evenly(inputs.Rows, MostInputs);
        double[] errors = new double[outputs.Length], norms = new double[outputs.Length];
        Parallel.For(0, outputs.Length, place =>
        {
            float[] exact = new float[columns], found = new float[columns];
            FloatWidening.Widen(weights, (long)outputs[place] * columns, exact);
            IntegerWidening.Widen(integers, format, outputs[place], found);
            for (int i = 0; i < columns; i++)
            {
                float scale = columnScales is null ? 1 : columnScales[i];
                found[i] = (found[i] - exact[i]) / scale;
                exact[i] /= scale;
            }

            foreach (int sample in samples)
            {
                double error = inputs.Dot(sample, found), norm = inputs.Dot(sample, exact);
                errors[place] += error * error;
                norms[place] += norm * norm;
            }
        });
        double total = norms.Sum();
        return total == 0 ? 0 : Math.Sqrt(errors.Sum() / total);
    }

    /// <summary>The same where the matrix is rounded to nearest, of which only the outputs that are looked at are made.</summary>
    /// <param name="weights">[outputs, inputs] as stored.</param>
    /// <param name="format">Of integers.</param>
    /// <param name="inputs">Of the linear.</param>
    /// <param name="columnScales">What columns are multiplied with before; null for nothing.</param>
    /// <param name="isWeighted">Scales are searched by <see cref="SharesOf"/>.</param>
    public static double OfRounding(HostTensor weights, WeightFormat format, InputRows inputs, float[]? columnScales = null, bool isWeighted = false)
    {
        int columns = weights.Shape[1];
        int[] outputs = Evenly(weights.Shape[0], MostOutputs);
        using NativeBlock block = new((long)outputs.Length * columns * sizeof(float));
        for (int place = 0; place < outputs.Length; place++)
        {
            var row = new Span<float>((float*)block.Address + ((nint)place * columns), columns);
            FloatWidening.Widen(weights, (long)outputs[place] * columns, row);
            for (int i = 0; i < columns && columnScales is not null; i++)
                row[i] *= columnScales[i];
        }

        var some = new HostTensor(block.Address, DType.F32, new Shape(outputs.Length, columns));
        using IQuantizedMatrix integers = isWeighted && format.GroupSize > 0
            ? GroupedIntegers.Quantize(some, format, "sample", SharesOf(inputs, columnScales), default)
            : WeightQuantizer.Quantize(some, format, "sample");
        return Of(some, format, integers, inputs, columnScales);
    }

    /// <summary>What an error of each column's weights costs the results: the moment of its input, and a hundredth of the mean for inputs that the samples lack.</summary>
    /// <param name="inputs">Of the linear.</param>
    /// <param name="columnScales">What columns were multiplied with; null for nothing.</param>
    public static float[] SharesOf(InputRows inputs, float[]? columnScales)
    {
        float[] shares = [.. inputs.Moments()];
        float least = 0.01f * shares.Average();
        for (int i = 0; i < shares.Length; i++)
            shares[i] = (shares[i] + least) / (columnScales is null ? 1 : columnScales[i] * columnScales[i]);
        return shares.Max() > 0 ? shares : [.. shares.Select(_ => 1f)];
    }

    private static int[] Evenly(int count, int most) => [.. Enumerable.Range(0, Math.Min(count, most)).Select(place => (int)((long)place * count / Math.Min(count, most)))];
}
