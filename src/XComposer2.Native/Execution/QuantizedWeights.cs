using XComposer2.Native.Graph;
using XComposer2.Native.Model;

namespace XComposer2.Native;

/// <summary>Puts a quantisation over stored weights.</summary>
internal static class QuantizedWeights
{
    /// <summary>The source itself where nothing is quantised, else one that owns it.</summary>
    /// <exception cref="EngineException">The quantisation is not known.</exception>
    public static IWeightSource Over(IWeightSource source, WeightQuantization quantization) => quantization switch
    {
        WeightQuantization.None => source,
        WeightQuantization.Int8 => new Int8Weights(source),
        _ => throw new EngineException($"quantization: expected one of {string.Join(", ", Enum.GetNames<WeightQuantization>())}, found {quantization}"),
    };

    /// <summary>For people, behind the name of a model; empty where nothing is quantised.</summary>
    public static string Describe(WeightQuantization quantization) => quantization == WeightQuantization.Int8 ? ", decoder's linears as int8" : "";
}
