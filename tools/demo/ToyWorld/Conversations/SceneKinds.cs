using XComposer2.Demo.World;

namespace XComposer2.Demo.Conversations;

/// <summary>Conversations about one scene, or a choice between two: with pictures, or with the scene in words.</summary>
internal static class SceneKinds
{
    private const int MostTurns = 5;
    private const double SystemShare = 0.2;

    /// <summary>One to five questions of any kind.</summary>
    public static ToySample Conversation(SeededRandom random, bool isTold)
    {
        Draft draft = new(random);
        return Ask(draft, Scene.Unlike(random), isTold, 1 + random.Below(MostTurns), null) with { System = !isTold && random.Chance(SystemShare) ? "You are a helpful assistant." : "" };
    }

    /// <summary>One to three questions of one kind.</summary>
    public static ToySample Questions(SeededRandom random, SceneQuestion kind, bool isTold)
    {
        // The whole scene is the answer, whoever asks.
        int turns = kind is SceneQuestion.Describe or SceneQuestion.Json or SceneQuestion.List or SceneQuestion.Count ? 1 : 1 + random.Below(3);
        return Ask(new Draft(random), Scene.Unlike(random), isTold, turns, kind);
    }

    /// <summary>Questions about objects that share a colour or a form.</summary>
    public static ToySample Alike(SeededRandom random, bool isTold) => Ask(new Draft(random), Scene.Alike(random), isTold, 1 + random.Below(MostTurns), null);

    /// <summary>Up to six objects, all of them in the answer.</summary>
    public static ToySample Crowded(SeededRandom random, bool isTold) =>
        Ask(new Draft(random), Scene.Crowded(random), isTold, 1, random.Pick(SceneQuestion.Describe, SceneQuestion.List, SceneQuestion.List, SceneQuestion.Json));

    /// <summary>Which of two pictures shows a thing.</summary>
    public static ToySample Two(SeededRandom random, bool isTold, bool isAlike)
    {
        Draft draft = new(random);
        Thing[] things = isAlike ? Thing.Alike(random, 2) : Thing.Different(random, 2);
        int right = random.Below(2);
        string shown = string.Concat(things.Select(thing => draft.Show(Scene.Somewhere(random, thing), isTold)));
        return draft.Turn($"{shown}Which image shows {Phrases.Of(things[right])}?", right == 0 ? "The first image." : "The second image.").Finish() with { Candidates = 2 };
    }

    private static ToySample Ask(Draft draft, Scene scene, bool isTold, int turns, SceneQuestion? kind)
    {
        string shown = draft.Show(scene, isTold);
        for (int i = 0; i < turns; i++)
        {
            ToyTurn turn = kind is { } one ? SceneQuestions.Ask(one, scene, draft) : SceneQuestions.Any(scene, draft);
            draft.Turn((i == 0 ? shown : "") + turn.Question, turn.Answer);
        }

        return draft.Finish();
    }
}
