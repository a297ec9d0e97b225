using XComposer2.Native.Graph;
using XComposer2.Native.Model;

namespace XComposer2.Native.Cli;

/// <summary>What <c>--weights</c> says where a preset may stand for the model.</summary>
/// <param name="Type">Of the preset's random weights; null where it is not said.</param>
/// <param name="Quantization">What is done to the decoder's linears.</param>
internal readonly record struct WeightChoice(DType? Type, WeightQuantization Quantization)
{
    /// <exception cref="UsageException">A checkpoint is meant, whose weights have the type that they have.</exception>
    public void RequireFit(string? checkpointPath)
    {
        if (checkpointPath is not null && Type is { } type)
            throw new UsageException($"--weights {type.ToString().ToLowerInvariant()} is for a preset; a checkpoint's weights are stored or int8");
    }
}
