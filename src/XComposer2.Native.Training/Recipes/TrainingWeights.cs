using XComposer2.Native.Graph;
using XComposer2.Native.Model;
using XComposer2.Native.Runtime;

namespace XComposer2.Native.Training;

/// <summary>A model's weights while it is trained: the trained ones from the parameters, all others as stored. Owns the source, not the parameters.</summary>
internal sealed class TrainingWeights : IWeightSource
{
    private readonly IWeightSource source;
    private readonly IParameterMemory parameters;
    private readonly Dictionary<string, int> trained = new(StringComparer.Ordinal);

    public TrainingWeights(IWeightSource source, IParameterMemory parameters)
    {
        this.source = source;
        this.parameters = parameters;
        for (int i = 0; i < parameters.Parameters.Length; i++)
            trained.Add(parameters.Parameters[i].Name, i);
    }

    public bool TryGet(string name, out HostTensor tensor)
    {
        if (!trained.TryGetValue(name, out int parameter))
            return source.TryGet(name, out tensor);
        tensor = parameters.Weight(parameter);
        return true;
    }

    public bool TryDescribe(string name, out HostTensor facts)
    {
        if (!trained.TryGetValue(name, out int parameter))
            return source.TryDescribe(name, out facts);
        facts = parameters.Weight(parameter) with { Data = 0 };
        return true;
    }

    public bool TryGetFormat(string name, out WeightFormat format)
    {
        if (!trained.ContainsKey(name))
            return source.TryGetFormat(name, out format);
        format = WeightFormat.F32;
        return true;
    }

    public long AllocatedBytes(string name) => trained.ContainsKey(name) ? 0 : source.AllocatedBytes(name);

    public long HeldBytes => source.HeldBytes;

    public void RequireIntact() => source.RequireIntact();

    public void Dispose() => source.Dispose();
}
