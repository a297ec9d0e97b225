using System.Collections.Frozen;
using XComposer2.Demo.Benchmarks;
using XComposer2.Demo.Choosing;
using XComposer2.Demo.Conversations;
using XComposer2.Demo.World;

namespace XComposer2.Demo.Mixtures;

/// <summary>All kinds of samples by name. Sample number n of a kind and a seed is always the same, on every machine and thread.</summary>
public static class ToySamples
{
    /// <summary>Seeds from here on are for evaluation: no training draws from them.</summary>
    public const ulong FirstHeldOutSeed = 1UL << 63;

    private static readonly FrozenDictionary<string, Func<SeededRandom, ToySample>> kinds = Kinds().ToFrozenDictionary(kind => kind.Name, kind => kind.Make, StringComparer.Ordinal);

    private static readonly FrozenDictionary<string, Mixture> groups = Groups().ToFrozenDictionary(group => group.Name, StringComparer.Ordinal);

    /// <summary>Names of all kinds and groups, sorted.</summary>
    public static IReadOnlyList<string> Names { get; } = [.. kinds.Keys.Concat(groups.Keys).Order(StringComparer.Ordinal)];

    /// <summary>Names of the groups: mixtures of kinds.</summary>
    public static IReadOnlyList<string> GroupNames { get; } = [.. groups.Keys.Order(StringComparer.Ordinal)];

    /// <summary>Whether there is such a kind or group.</summary>
    public static bool Has(string kind) => kinds.ContainsKey(kind) || groups.ContainsKey(kind);

    /// <summary>Draws a sample.</summary>
    /// <param name="kind">The name of a kind, or of a group; the sample has that of its kind.</param>
    /// <param name="seed">Any; from <see cref="FirstHeldOutSeed"/> on for evaluation.</param>
    /// <param name="number">Which sample of the seed; 0 or more.</param>
    /// <exception cref="ArgumentException">No kind has this name.</exception>
    public static ToySample Draw(string kind, ulong seed, long number)
    {
        ArgumentNullException.ThrowIfNull(kind);
        ArgumentOutOfRangeException.ThrowIfNegative(number);
        if (kinds.TryGetValue(kind, out Func<SeededRandom, ToySample>? make))
            return make(SeededRandom.For(kind, seed, number)) with { Kind = kind };
        return groups.TryGetValue(kind, out Mixture? group) ? group.Sample(seed, number)
            : throw new ArgumentException($"kind '{kind}' is not known; there are {string.Join(", ", Names)}", nameof(kind));
    }

    private static IEnumerable<(string Name, Func<SeededRandom, ToySample> Make)> Kinds()
    {
        foreach (bool isTold in (bool[])[false, true])
        {
            string family = isTold ? "told" : "vision";
            yield return ($"{family}-talk", random => SceneKinds.Conversation(random, isTold));
            yield return ($"{family}-alike", random => SceneKinds.Alike(random, isTold));
            yield return ($"{family}-crowded", random => SceneKinds.Crowded(random, isTold));
            yield return ($"{family}-two", random => SceneKinds.Two(random, isTold, isAlike: false));
            yield return ($"{family}-two-alike", random => SceneKinds.Two(random, isTold, isAlike: true));
            foreach (SceneQuestion question in Enum.GetValues<SceneQuestion>())
                yield return ($"{family}-{NameOf(question)}", random => SceneKinds.Questions(random, question, isTold));
        }

        yield return ("text-article", TextKinds.Article);
        yield return ("text-place", TextKinds.Place);
        yield return ("text-caption", TextKinds.Caption);
        yield return ("text-abbreviate", TextKinds.Abbreviate);
        yield return ("text-expand", TextKinds.Expand);
        yield return ("text-rewrite", TextKinds.Rewrite);
        yield return ("text-insert", TextKinds.Insert);
        yield return ("text-mix", TextKinds.Mix);
        yield return ("text-opposite", TextKinds.Opposite);
        yield return ("text-who", TextKinds.Who);
        yield return ("copy-cycle", CopyKinds.Cycle);
        yield return ("copy-list", CopyKinds.List);
        yield return ("copy-letters", CopyKinds.Letters);
        yield return ("compose-write", ComposeKinds.Write);
        yield return ("compose-place", ComposeKinds.Place);
        foreach (CandidateSetting setting in CandidateSetting.All)
            yield return (setting.Name, random => CandidateKinds.Make(random, setting));
        yield return ("eval-mmbench", random => BenchmarkKinds.Choice(random, "MMBench_DEV_EN", Language.English));
        yield return ("eval-mmbench-cn", random => BenchmarkKinds.Choice(random, "MMBench_DEV_CN", Language.Chinese));
        yield return ("eval-seed", random => BenchmarkKinds.Choice(random, "SEEDBench_IMG", Language.English));
        yield return ("eval-ai2d", random => BenchmarkKinds.Choice(random, "AI2D_TEST", Language.English));
        yield return ("eval-qbench", random => BenchmarkKinds.Choice(random, "Q-Bench1_VAL", Language.English));
        yield return ("eval-mmmu", random => BenchmarkKinds.Choice(random, "MMMU_DEV_VAL", Language.English));
        yield return ("eval-mmmu-open", random => BenchmarkKinds.Short(random, "MMMU_DEV_VAL"));
        yield return ("eval-chartqa", random => BenchmarkKinds.Short(random, "ChartQA_TEST"));
        yield return ("eval-mme", random => BenchmarkKinds.YesNo(random, "MME"));
        yield return ("eval-pope", random => BenchmarkKinds.YesNo(random, "POPE"));
        yield return ("eval-hallusion", random => BenchmarkKinds.YesNo(random, "HallusionBench"));
        yield return ("eval-mathvista", BenchmarkKinds.Mathematics);
        yield return ("eval-mmvet", random => BenchmarkKinds.Describe(random, "MMVet"));
        yield return ("eval-llava", random => BenchmarkKinds.Describe(random, "LLaVABench"));
        yield return ("eval-creation", BenchmarkKinds.Create);
    }

    /// <summary>The mixtures of the demo's first checkpoint, and of what it lacked.</summary>
    private static IEnumerable<Mixture> Groups()
    {
        yield return new Mixture("vision", [("vision-talk", 0.9), ("vision-two", 0.1)]);
        yield return new Mixture("told", [("told-talk", 0.88), ("told-two", 0.06), ("choose-select-told", 0.06)]);
        yield return new Mixture("text",
        [
            ("text-article", 2), ("text-place", 2), ("text-caption", 2), ("text-abbreviate", 1), ("text-expand", 1), ("text-rewrite", 1), ("text-insert", 1), ("text-mix", 1),
            ("text-opposite", 1), ("text-who", 1),
        ]);
        yield return new Mixture("compose", [("compose-write", 1), ("compose-place", 1), ("choose-select", 2), ("choose-select-alike", 1)]);
        yield return new Mixture("choose", [("choose-select", 1), ("choose-select-alike", 1)]);
        yield return new Mixture("eval",
        [
            ("eval-mmbench", 2), ("eval-mmbench-cn", 2), ("eval-seed", 1), ("eval-ai2d", 1), ("eval-qbench", 1), ("eval-mmmu", 1), ("eval-mmmu-open", 1), ("eval-chartqa", 1), ("eval-mme", 1),
            ("eval-pope", 1), ("eval-hallusion", 1), ("eval-mathvista", 1), ("eval-mmvet", 1), ("eval-llava", 1), ("eval-creation", 1),
        ]);
    }

    private static string NameOf(SceneQuestion question) => question switch
    {
        SceneQuestion.Describe => "describe",
        SceneQuestion.Color => "color",
        SceneQuestion.Shape => "shape",
        SceneQuestion.Count => "count",
        SceneQuestion.Exists => "exists",
        SceneQuestion.Where => "where",
        SceneQuestion.Choice => "choice",
        SceneQuestion.Size => "size",
        SceneQuestion.Json => "json",
        _ => "list",
    };
}
