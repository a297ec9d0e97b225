using System.Globalization;
using XComposer2.Demo.Choosing;
using XComposer2.Demo.Conversations;
using XComposer2.Demo.Mixtures;
using XComposer2.Demo.World;

namespace XComposer2.Demo.Checking;

/// <summary>Right answers of a kind.</summary>
/// <param name="Kind">What was asked.</param>
/// <param name="Right">Answers that are right to the letter.</param>
/// <param name="Asked">All of them.</param>
/// <param name="Chance">Share that guessing would get right; null where nothing is chosen.</param>
/// <param name="IsWordedFreely">Other wordings may be right, too.</param>
public sealed record KindAccuracy(string Kind, int Right, int Asked, double? Chance, bool IsWordedFreely)
{
    /// <summary>Half of the 95 % interval of the share, by the normal approximation.</summary>
    public double Margin => 1.96 * Math.Sqrt((double)Right / Asked * (1 - ((double)Right / Asked)) / Asked);

    /// <summary>One line of a table.</summary>
    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture,
        $"| {Kind} | {Right} of {Asked} | {100.0 * Right / Asked:0.0} % ± {100 * Margin:0.0} | {(Chance is { } chance ? $"{100 * chance:0} %" : IsWordedFreely ? "wording is free" : "")} |");
}

/// <summary>Asks a checkpoint about scenes that no training has seen.</summary>
public static class AccuracyReport
{
    private static readonly string[] groups = ["vision", "told", "text", "compose", "eval"];

    /// <summary>The groups, the new kinds of scenes, and choices in the composition's prompt by number and likeness of candidates.</summary>
    public static IReadOnlyList<string> DefaultKinds { get; } =
    [
        .. groups, "vision-alike", "vision-crowded", "vision-list", "vision-two-alike",
        .. CandidateSetting.All.Where(setting => setting is { Task: CandidateTask.Select, IsTold: false, IsNear: false, Candidates: not null }).Select(setting => setting.Name),
        "choose-what", "choose-which", "choose-check", "choose-find",
    ];

    /// <summary>Samples of one kind for evaluation.</summary>
    public static IReadOnlyList<ToySample> Samples(string kind, int count, ulong seed) =>
        [.. Enumerable.Range(0, count).Select(number => ToySamples.Draw(kind, ToySamples.FirstHeldOutSeed | seed, number))];

    /// <summary>Accuracy of answers, by kind where a group was asked.</summary>
    public static IEnumerable<KindAccuracy> Of(string kind, IReadOnlyList<CheckpointAnswer> answers)
    {
        ArgumentNullException.ThrowIfNull(answers);
        yield return Accuracy(kind, answers);
        if (answers.Any(answer => answer.Sample.Kind != kind))
            foreach (IGrouping<string, CheckpointAnswer> part in answers.GroupBy(answer => answer.Sample.Kind).OrderBy(part => part.Key, StringComparer.Ordinal))
                yield return Accuracy("— " + part.Key, [.. part]);
    }

    /// <summary>Heading of the table.</summary>
    public static string Heading => "| kind | right | share | chance |\n|---|---|---|---|";

    private static KindAccuracy Accuracy(string kind, IReadOnlyList<CheckpointAnswer> answers)
    {
        bool isChoice = answers.All(answer => answer.Sample.Candidates > 0);
        double? chance = isChoice ? answers.Average(answer => 1.0 / answer.Sample.Candidates) : null;
        return new KindAccuracy(kind, answers.Count(answer => answer.IsExact), answers.Count, chance, answers.Any(answer => answer.Sample.HasFreeWording));
    }
}
