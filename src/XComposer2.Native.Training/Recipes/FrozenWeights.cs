using XComposer2.Native.Graph;
using XComposer2.Native.Model;

namespace XComposer2.Native.Training;

/// <summary>Which weights of a checkpoint are integers while it is trained: frozen ones alone.</summary>
internal static class FrozenWeights
{
    /// <summary>The weights of a checkpoint, some of them made integers, or left as the integers that they are.</summary>
    /// <param name="checkpoint">Owned by what is returned.</param>
    /// <param name="recipe">What is trained.</param>
    /// <param name="quantization">What is wanted of the frozen weights.</param>
    /// <returns>The weights, and what was made integers, in words.</returns>
    /// <exception cref="CheckpointException">A weight is stored as integers and is to be others, or the recipe would have to write it.</exception>
    /// <exception cref="ArgumentException">No quantiser makes a format.</exception>
    public static (IWeightSource Source, string Words) Of(Checkpoint checkpoint, TrainingRecipe recipe, WeightQuantization quantization)
    {
        quantization.Require();
        CheckpointTensor? stored = checkpoint.Tensors.FirstOrDefault(tensor => tensor.Format is not null);
        if (stored is not null && recipe.Adapter is null)
            throw new CheckpointException(
                checkpoint.Directory, $"tensor '{stored.Name}'", $"a floating type, because recipe {recipe.Name} writes a whole model; train the model that was quantised, perhaps with frozen weights of integers", $"{stored.Format}");
        if (checkpoint.Tensors.FirstOrDefault(tensor => tensor.Format is not null && FormatOf(tensor.Name) is not null) is { } other)
            throw new CheckpointException(checkpoint.Directory, $"tensor '{other.Name}'", $"a floating type, to make it {FormatOf(other.Name)}", $"{other.Format}");

        // GPTQ's own integers are what the model was tuned to; a whole model is written with floats.
        bool isKept = checkpoint.HasIntegers && recipe.Adapter is not null && (quantization.Linears is not { } linears || linears.Elements.ElementBits() < 8);
        if (isKept && checkpoint.ServeIntegers(static _ => true))
            quantization = quantization with { Linears = null };
        return quantization.IsNone ? (checkpoint, "") : (new QuantizedWeights(checkpoint, FormatOf), quantization.ToString());

        WeightFormat? FormatOf(string name) => recipe.RateOf(name, new Shape(1, 1), checkpoint.Config.Vision.LayerCount) is null ? quantization.FormatOf(name) : null;
    }
}
