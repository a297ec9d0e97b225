namespace XComposer2.Native.Model;

/// <summary>How the integers of the decoder's linears are chosen. Other weights are rounded to nearest.</summary>
public enum QuantizationMethod
{
    /// <summary>Each weight to the nearest integer, with scales that make the error of the weights least.</summary>
    RoundToNearest,

    /// <summary>To nearest, with scales that make the error of the results least, after columns that large inputs meet were multiplied, and what makes these inputs divided, by powers of two: the model
    /// computes the same, and rounds these columns more finely (AWQ).</summary>
    ActivationAware,

    /// <summary>Column by column, where later columns make up for what earlier ones lost on the calibration inputs (GPTQ).</summary>
    ErrorFeedback,
}

/// <summary>Inputs of the decoder's layers on calibration samples, one layer at a time.</summary>
public interface ILayerCalibration : IDisposable
{
    /// <summary>The samples in words, with a checksum: runs with other samples give other integers.</summary>
    string Description { get; }

    /// <summary>The inputs of a layer's linears, which are the caller's to dispose. Layers are asked for in ascending order; some may be left out.</summary>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    LayerInputs InputsOf(int layer, CancellationToken cancellation);
}

/// <summary>Texts of <see cref="QuantizationMethod"/> on the command line and in manifests.</summary>
public static class QuantizationMethods
{
    /// <summary>rtn, awq or gptq.</summary>
    public static string Word(this QuantizationMethod method) => method switch
    {
        QuantizationMethod.RoundToNearest => "rtn",
        QuantizationMethod.ActivationAware => "awq",
        QuantizationMethod.ErrorFeedback => "gptq",
        _ => throw new ArgumentOutOfRangeException(nameof(method), method, "not a method"),
    };
}
