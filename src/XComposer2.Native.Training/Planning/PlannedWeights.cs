using XComposer2.Native.Graph;
using XComposer2.Native.Model;

namespace XComposer2.Native.Training;

/// <summary>Types and shapes of a model's weights while it is trained, without the weights: trained ones are F32, others of one type or of integers.</summary>
internal sealed class PlannedWeights : IWeightSource
{
    private readonly Dictionary<string, HostTensor> facts = new(StringComparer.Ordinal);
    private readonly Dictionary<string, WeightFormat> formats = new(StringComparer.Ordinal);

    public PlannedWeights(ModelConfig config, DType type, WeightQuantization quantization, HashSet<string> trained)
    {
        foreach (ExpectedTensor expected in ModelTensors.Expected(config))
        {
            bool isTable = expected.Name == ModelTensors.PositionTableName;
            WeightFormat format = trained.Contains(expected.Name) || isTable ? WeightFormat.F32 : quantization.FormatOf(expected.Name) ?? WeightFormat.Of(type);
            Shape shape = isTable ? new Shape(config.TokensPerImage + 1, config.Vision.Width) : expected.Shape;
            formats.Add(expected.Name, format);
            foreach (WeightPartSpec part in format.Parts(shape))
                facts.Add(WeightFormat.NameOf(expected.Name, part.Part), new HostTensor(0, part.Type, part.Shape));
        }
    }

    /// <summary>There are none.</summary>
    public bool TryGet(string name, out HostTensor tensor)
    {
        tensor = default;
        return false;
    }

    public bool TryDescribe(string name, out HostTensor found) => facts.TryGetValue(name, out found);

    public bool TryGetFormat(string name, out WeightFormat format) => formats.TryGetValue(name, out format);

    public void Dispose()
    {
    }
}
