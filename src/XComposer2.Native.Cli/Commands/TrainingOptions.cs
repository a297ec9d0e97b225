using System.CommandLine;
using XComposer2.Native.Training;

namespace XComposer2.Native.Cli;

/// <summary>The options that say what is trained.</summary>
internal static class TrainingOptions
{
    private const int MostRank = 4096;

    public static Option<TrainingRecipe?> Recipe() =>
        CheckedOption.Of("--recipe", new CheckedValue<TrainingRecipe?>(Names, static text => TrainingRecipe.All.FirstOrDefault(recipe => recipe.Name == text)));

    public static Option<int?> Rank() => CheckedOption.Integer("--rank", 1, MostRank);

    /// <summary>A recipe with adapters of a rank, whose alpha is the rank.</summary>
    /// <exception cref="UsageException">The recipe has no adapters.</exception>
    public static TrainingRecipe WithRank(TrainingRecipe recipe, int? rank)
    {
        if (rank is not { } size)
            return recipe;
        return recipe.Adapter is { } adapter ? recipe with { Adapter = adapter with { Rank = size, Alpha = size } } : throw new UsageException("--rank is for --recipe lora");
    }

    private static string Names => string.Join(", ", TrainingRecipe.All.Select(recipe => recipe.Name));
}
