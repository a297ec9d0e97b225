using System.Text.Json.Nodes;
using XComposer2.Demo.Mixtures;
using XComposer2.Native.Training;

namespace XComposer2.Demo.Training;

/// <summary>Samples of a mixture, made when they are asked for.</summary>
/// <param name="mixture">Kinds and weights.</param>
/// <param name="preparer">Writes them.</param>
/// <param name="samples">Of a step.</param>
/// <param name="seed">Of the run.</param>
internal sealed class MixtureSource(Mixture mixture, ToyPreparer preparer, int samples, ulong seed) : ISampleSource
{
    public JsonObject Settings => new()
    {
        ["mixture"] = mixture.Name, ["kinds"] = string.Join(" ", mixture.Parts.Select(part => FormattableString.Invariant($"{part.Kind}:{part.Weight}"))), ["samples"] = samples, ["seed"] = seed,
    };

    public StepSamples SamplesOf(int number, CancellationToken cancellation = default)
    {
        var prepared = new PreparedSample[samples];
        for (int i = 0; i < samples; i++)
        {
            cancellation.ThrowIfCancellationRequested();
            prepared[i] = preparer.Prepare(mixture.Sample(seed, ((long)number * samples) + i));
        }

        return new StepSamples(prepared, []);
    }
}
