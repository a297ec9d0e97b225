using XComposer2.Native.Graph;

namespace XComposer2.Native.Model;

/// <summary>The linears of one layer with their calibration inputs: rounds them by the job's method and measures what that costs their results. Owns inputs, scaled weights and factors.</summary>
internal sealed class LayerQuantizer : IDisposable
{
    private readonly QuantizationJob job;
    private readonly LayerInputs inputs;
    private readonly Dictionary<LinearInput, InputFactor> factors = [];
    private readonly LayerScaling? scaling;

    private LayerQuantizer(QuantizationJob job, LayerInputs inputs, LayerScaling? scaling)
    {
        this.job = job;
        this.inputs = inputs;
        this.scaling = scaling;
    }

    /// <param name="layer">Which.</param>
    /// <param name="calibration">Has its inputs.</param>
    /// <param name="job">States the method.</param>
    /// <param name="get">Stored weights; null for those that there are not.</param>
    /// <param name="formatOf">What a weight will be; null for what stays as stored.</param>
    /// <param name="cancellation">Takes effect between operations.</param>
    public static LayerQuantizer Of(
        int layer, ILayerCalibration calibration, QuantizationJob job, Func<string, HostTensor?> get, Func<string, WeightFormat?> formatOf, CancellationToken cancellation)
    {
        LayerInputs inputs = calibration.InputsOf(layer, cancellation);
        try
        {
            LayerScaling? scaling = job.Method == QuantizationMethod.ActivationAware
                ? LayerScaling.Choose(FormattableString.Invariant($"model.layers.{layer}."), get, formatOf, inputs, cancellation)
                : null;
            return new LayerQuantizer(job, inputs, scaling);
        }
        catch
        {
            inputs.Dispose();
            throw;
        }
    }

    /// <summary>A weight that was scaled before rounding.</summary>
    public bool TryGetScaled(string name, out HostTensor tensor)
    {
        tensor = default;
        return scaling is not null && scaling.TryGet(name, out tensor);
    }

    /// <exception cref="ArgumentException">The format has no quantiser.</exception>
    /// <exception cref="InvalidDataException">A weight is NaN or infinite.</exception>
    public IQuantizedMatrix Quantize(HostTensor weights, WeightFormat format, string name, CancellationToken cancellation)
    {
        if (LayerInputs.InputOf(name) is not { } input)
            return WeightQuantizer.Quantize(weights, format, name, cancellation);
        if (job.Method == QuantizationMethod.ActivationAware)
            return format.GroupSize == 0
                ? WeightQuantizer.Quantize(weights, format, name, cancellation)
                : GroupedIntegers.Quantize(weights, format, name, OutputError.SharesOf(inputs[input], scaling?.ColumnScalesOf(name)), cancellation);
        if (!factors.TryGetValue(input, out InputFactor? factor))
            factors.Add(input, factor = InputFactor.Of(inputs[input], format.HasGroupIndex, cancellation));
        return FeedbackIntegers.Quantize(weights, format, factor, name, cancellation);
    }

    /// <summary>Adds what the integers, and what rounding to nearest would, lose of the results.</summary>
    /// <param name="weight">Without it.</param>
    /// <param name="weights">As they were rounded.</param>
    /// <param name="stored">Before scaling.</param>
    /// <param name="integers">Of <paramref name="weights"/>.</param>
    /// <param name="name">Of the weight.</param>
    public IntegerWeight Measure(IntegerWeight weight, HostTensor weights, HostTensor stored, IQuantizedMatrix integers, string name) => LayerInputs.InputOf(name) is not { } input ? weight : weight with
    {
        OutputError = OutputError.Of(weights, weight.Format, integers, inputs[input], scaling?.ColumnScalesOf(name)),
        RoundingError = OutputError.OfRounding(stored, weight.Format, inputs[input]),
    };

    public void Dispose()
    {
        foreach (InputFactor factor in factors.Values)
            factor.Dispose();
        scaling?.Dispose();
        inputs.Dispose();
    }
}
