using XComposer2.Demo.Mixtures;
using XComposer2.Native.Runtime;
using XComposer2.Native.Training;

namespace XComposer2.Demo.Training;

/// <summary>A stage of the demo's training.</summary>
/// <param name="Name">Name of its folder.</param>
/// <param name="Recipe">What is trained.</param>
/// <param name="Mixture">From what.</param>
/// <param name="Steps">Steps of the optimiser.</param>
/// <param name="Samples">Samples of a step.</param>
internal sealed record DemoStage(string Name, TrainingRecipe Recipe, Mixture Mixture, int Steps, int Samples);

/// <summary>
/// The paper's recipe at toy size. Before it a language model, from text in which scenes are told in words; then the language model is frozen, and vision tower, projector and
/// Partial LoRA learn; then all of it, the language model at a fifth of the rate.
/// </summary>
internal static class DemoStages
{
    private static readonly AdamWSettings optimiser = new(0.9, 0.98, 1e-8);

    // Copying is learnt at this rate within 800 steps; at 0.003 not at all.
    private static readonly TrainingRecipe language = new() { Name = "language", Rate = 1e-3, WeightDecay = 0.05, HasFrozenVision = true, HasFrozenAlignment = true, Optimiser = optimiser };

    public static IReadOnlyList<DemoStage> All { get; } =
    [
        new(
            "copy",
            language,
            new("copy",
            [
                ("copy-cycle", 6), ("copy-list", 1), ("copy-letters", 2), ("choose-what-told", 1), ("choose-what-told-alike", 1), ("choose-which-told", 1), ("choose-which-told-alike", 1),
                ("choose-check-told-alike", 1),
            ]),
            1500, 32),
        new(
            "language",
            language,
            new("language",
            [
                ("copy-letters", 2), ("text", 3), ("told-talk", 6), ("told-crowded", 2), ("told-two", 1), ("told-two-alike", 2),
                ("choose-what-told-alike", 1), ("choose-which-told", 4), ("choose-which-told-alike", 4), ("choose-check-told", 3), ("choose-check-told-alike", 3),
                ("choose-find-told", 1), ("choose-find-told-alike", 2), ("choose-fit-told", 1), ("choose-fit-told-alike", 2), ("choose-match-told", 2), ("choose-match-told-alike", 3), ("choose-sentence-told-alike", 2),
                ("choose-select-told", 2), ("choose-select-told-alike", 3),
            ]),
            8000, 32),
        new(
            "pretrain",
            TrainingRecipe.Pretrain with { Rate = 1e-3, Optimiser = optimiser },
            new("pretrain",
            [
                ("vision", 8), ("vision-crowded", 3), ("vision-alike", 2), ("vision-two", 1), ("vision-two-alike", 1),
                ("choose-what", 2), ("choose-what-alike", 1), ("choose-which", 1), ("choose-which-alike", 2), ("choose-check", 1), ("choose-check-alike", 1),
                ("choose-fit", 2), ("choose-fit-alike", 2), ("choose-find", 1), ("choose-find-alike", 1), ("choose-match", 1), ("choose-match-alike", 1), ("choose-select", 2), ("choose-select-alike", 2),
                ("compose-write", 1), ("compose-place", 1),
            ]),
            3000, 24),
        new(
            "sft",
            TrainingRecipe.SupervisedFineTuning with { Rate = 1.2e-3, Optimiser = optimiser },
            new("sft",
            [
                ("text", 3), ("told-talk", 1), ("vision", 8), ("vision-crowded", 1), ("vision-alike", 2), ("vision-two", 1), ("vision-two-alike", 1), ("eval", 3),
                ("choose-what", 1), ("choose-which", 1), ("choose-which-alike", 1), ("choose-check-alike", 1), ("choose-fit-alike", 2), ("choose-find-alike", 1),
                ("choose-match-alike", 1), ("choose-sentence-alike", 1), ("choose-select", 2), ("choose-select-alike", 2), ("compose-write", 1), ("compose-place", 1),
            ]),
            5000, 24),
    ];
}
