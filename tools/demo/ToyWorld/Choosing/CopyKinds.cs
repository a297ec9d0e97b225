using XComposer2.Demo.Conversations;
using XComposer2.Demo.World;

namespace XComposer2.Demo.Choosing;

/// <summary>
/// Short texts of which nearly every token of the answers stands in the question: from these a language model learns first to find something in its context and to copy it, upon
/// which answers about told scenes, pictures and candidates build.
/// </summary>
internal static class CopyKinds
{
    private const int FewestThings = 2, MostThings = 8;
    private const int ShortestCycle = 2, LongestCycle = 12, CycleWords = 36;

    // Each is one token of the demo's tokenizer, with the blank before it.
    private static readonly string[] words =
    [
        .. Enum.GetValues<ShapeColor>().Select(color => Phrases.Of(color)), .. Enum.GetValues<ShapeForm>().Select(form => Phrases.Of(form)),
        "the", "a", "is", "in", "at", "top", "bottom", "left", "right", "center", "large", "small", "and", "image", "shows",
    ];

    /// <summary>A few random words, and the same again and again: copying begins with the short cycles, and reaches the lists from there.</summary>
    public static ToySample Cycle(SeededRandom random)
    {
        string[] cycle = new string[ShortestCycle + random.Below(LongestCycle - ShortestCycle + 1)];
        for (int i = 0; i < cycle.Length; i++)
            cycle[i] = " " + random.Pick(words);
        return new Draft(random).Turn(string.Concat(cycle), string.Concat(Enumerable.Range(cycle.Length, CycleWords - cycle.Length).Select(i => cycle[i % cycle.Length]))).Finish();
    }

    /// <summary>A list of things, once more.</summary>
    public static ToySample List(SeededRandom random)
    {
        Draft draft = new(random);
        Language language = draft.AnyLanguage();
        string list = string.Join(", ", Thing.Different(random, FewestThings + random.Below(MostThings - FewestThings + 1)).Select(thing => Name(thing, language)));
        return draft.Turn($"[{list}] List the shapes.", $"[{list}]").Finish();
    }

    /// <summary>Things behind letters: for each, in random order, what stands behind the letter, and which letter stands before the thing.</summary>
    public static ToySample Letters(SeededRandom random)
    {
        Draft draft = new(random);
        Language language = draft.AnyLanguage();
        Thing[] things = Thing.Different(random, CandidateSetting.Fewest + random.Below(CandidateSetting.Most - CandidateSetting.Fewest + 1));
        string list = string.Concat(things.Select((thing, i) => $"{SceneQuestions.Letters[i]}.[{Name(thing, language)}]\n"));
        foreach (int number in random.Distinct(2 * things.Length, 2 * things.Length))
        {
            int index = number / 2;
            ToyTurn turn = number % 2 == 0 ? CandidateKinds.What(index, things[index], language) : CandidateKinds.Which(index, things[index], language);
            draft.Turn(list + turn.Question, turn.Answer);
            list = "";
        }

        return draft.Finish();
    }

    private static string Name(Thing thing, Language language) => language == Language.Chinese ? Phrases.Of(thing, language) : $"{Phrases.Of(thing.Color)} {Phrases.Of(thing.Form)}";
}
