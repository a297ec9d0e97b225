using XComposer2.Demo.Conversations;
using XComposer2.Demo.World;

namespace XComposer2.Demo.Choosing;

/// <summary>Conversations about lists of candidate pictures, which letters name.</summary>
internal static class CandidateKinds
{
    private const string Instruction = "根据给定上下文和候选图像，选择合适的配图：", ListHeading = "候选图像包括: ", AnswerPrefix = "最合适的图是";
    private const string Letters = SceneQuestions.Letters;

    // What is told is English: words of the other language have to be compared by what they mean, as pictures have.
    private const double ToldChineseShare = 0.5;

    private const int MostEarlier = 2;
    private const double EarlierPictures = 0.6;

    public static ToySample Make(SeededRandom random, CandidateSetting setting)
    {
        Draft draft = new(random);
        int count = setting.Candidates ?? (CandidateSetting.Fewest + random.Below(CandidateSetting.Most - CandidateSetting.Fewest + 1));
        Thing[] things = setting.IsAlike ? Thing.Alike(random, count) : Thing.Unlike(random, count);
        Language language = setting.IsTold ? draft.AnyLanguage(ToldChineseShare) : draft.AnyLanguage();
        ToySample made = setting.Task switch
        {
            CandidateTask.What or CandidateTask.Which or CandidateTask.Check => Dense(draft, setting, things, language),
            CandidateTask.Find => Find(draft, setting, things, language),
            CandidateTask.Fit => Fit(draft, setting, things, language),
            _ => Compose(draft, setting, things, language),
        };
        return setting.Task is CandidateTask.What or CandidateTask.Check or CandidateTask.Fit ? made : made with { Candidates = count };
    }

    // One question for each candidate, in random order.
    private static ToySample Dense(Draft draft, CandidateSetting setting, Thing[] things, Language language)
    {
        string list = List(draft, things, setting.IsTold) + "\n";
        foreach (int index in draft.Random.Distinct(things.Length, things.Length))
        {
            ToyTurn turn = setting.Task switch
            {
                CandidateTask.What => What(index, things[index], language),
                CandidateTask.Which => Which(index, things[index], language),
                _ => Check(draft.Random, index, things, language),
            };
            draft.Turn(list + turn.Question, turn.Answer);
            list = "";
        }

        return draft.Finish();
    }

    /// <summary>What stands behind a letter.</summary>
    public static ToyTurn What(int index, Thing thing, Language language) => language == Language.Chinese
        ? new ToyTurn($"图{Letters[index]}中有什么？", $"{Phrases.Of(thing, language)}。")
        : new ToyTurn($"What is in image {Letters[index]}?", $"Image {Letters[index]} shows {Phrases.Of(thing)}.");

    /// <summary>Which letter stands before a thing.</summary>
    public static ToyTurn Which(int index, Thing thing, Language language) => language == Language.Chinese
        ? new ToyTurn($"哪张图中有{Phrases.Of(thing, language)}？", $"图{Letters[index]}。")
        : new ToyTurn($"Which image shows {Phrases.Of(thing)}?", $"Image {Letters[index]}.");

    private static ToyTurn Check(SeededRandom random, int index, Thing[] things, Language language)
    {
        // What is absent is mostly what another candidate shows: the question is about this one, not about all of them.
        bool yes = random.Chance(0.5);
        int other = random.Below(things.Length - 1);
        Thing absent = random.Chance(0.75) ? things[other < index ? other : other + 1] : SceneQuestions.Absent(Scene.Of(things[index]), new SceneObject(things[index], Scene.Center, true), random);
        string asked = Phrases.Of(yes ? things[index] : absent, language);
        return language == Language.Chinese
            ? new ToyTurn($"图{Letters[index]}中有{asked}吗？", yes ? "有。" : "没有。")
            : new ToyTurn($"Does image {Letters[index]} show {asked}?", yes ? "Yes" : "No");
    }

    private static ToySample Find(Draft draft, CandidateSetting setting, Thing[] things, Language language)
    {
        int right = draft.Random.Below(things.Length);
        ToyTurn turn = Which(right, things[right], language);
        string list = List(draft, things, setting.IsTold);
        return draft.Turn($"{turn.Question}\n{list}{Repeated(setting, things[right], language)}", turn.Answer).Finish();
    }

    // A candidate has to compare itself with what was said before it, which every choice builds upon, and each says whether it did.
    private static ToySample Fit(Draft draft, CandidateSetting setting, Thing[] things, Language language)
    {
        int right = draft.Random.Below(things.Length);
        string list = List(draft, things, setting.IsTold), thing = Phrases.Of(things[right], language);
        string question = language == Language.Chinese ? $"图中有{thing}吗？" : $"Does each image show {thing}?";
        (string yes, string no) = language == Language.Chinese ? ("有", "没有") : ("Yes", "No");
        return draft.Turn($"{question}\n{list}{Repeated(setting, things[right], language)}", string.Join("\n", things.Select((_, i) => $"{Letters[i]}. {(i == right ? yes : no)}"))).Finish();
    }

    private static ToySample Compose(Draft draft, CandidateSetting setting, Thing[] things, Language language)
    {
        int right = draft.Random.Below(things.Length);
        string text = Text(draft, setting, things[right], language);
        string list = List(draft, things, setting.IsTold);
        return draft.Turn($"{Instruction}{text}{ListHeading}{list}{Repeated(setting, things[right], language)}", $"{AnswerPrefix}{Letters[right]}", AnswerPrefix).Finish();
    }

    private static string Text(Draft draft, CandidateSetting setting, Thing wanted, Language language)
    {
        SeededRandom random = draft.Random;
        if (setting.Task == CandidateTask.Match)
            return Phrases.Of(wanted, language) + "\n";
        if (setting.Task == CandidateTask.Sentence)
            return ArticleTexts.AnySentence(wanted, language, random) + "\n";
        string text = ArticleTexts.Beginning(ArticleTexts.AnyPlace(random), language, random) + "\n";
        for (int earlier = random.Below(MostEarlier + 1); earlier > 0; earlier--)
        {
            // An earlier paragraph is about something else, and has its picture already.
            Thing thing = Thing.Any(random);
            while (thing == wanted)
                thing = Thing.Any(random);
            text += ArticleTexts.Paragraph(thing, language, random) + "\n" + (random.Chance(EarlierPictures) ? draft.Show(Scene.Of(thing), setting.IsTold) : "");
        }

        return text + ArticleTexts.Paragraph(wanted, language, random) + "\n";
    }

    private static string List(Draft draft, Thing[] things, bool isTold) =>
        string.Join("\n", things.Select((thing, i) => $"{Letters[i]}.{draft.Show(Scene.Somewhere(draft.Random, thing), isTold)}")).TrimEnd();

    private static string Repeated(CandidateSetting setting, Thing thing, Language language) => setting.IsNear ? "\n" + Phrases.Of(thing, language) : "";
}
