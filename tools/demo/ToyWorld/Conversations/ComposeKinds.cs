using XComposer2.Demo.World;

namespace XComposer2.Demo.Conversations;

/// <summary>Composition from the user's own pictures. The choice among pictures is in <c>Choosing</c>.</summary>
internal static class ComposeKinds
{
    /// <summary>An article about pictures.</summary>
    public static ToySample Write(SeededRandom random)
    {
        (Draft draft, Thing[] things, string place, string shown) = Begin(random);
        string[] article = ArticleTexts.Article(things, place, Language.English, random);
        return draft.Turn($"{shown}Write a short article about the {place} based on the images.", string.Join("\n", article)).Finish() with { HasFreeWording = true };
    }

    /// <summary>The places of own pictures in an article.</summary>
    public static ToySample Place(SeededRandom random)
    {
        (Draft draft, Thing[] things, string place, string shown) = Begin(random);
        (string question, string answer) = TextKinds.PlaceTurn(ArticleTexts.Article(things, place, Language.English, random), things.Length, random);
        return draft.Turn($"{shown} {question}", answer, "适合插入图像的行是").Finish();
    }

    private static (Draft Draft, Thing[] Things, string Place, string Shown) Begin(SeededRandom random)
    {
        Draft draft = new(random);
        Thing[] things = Thing.Unlike(random, random.Pick(1, 2));
        string shown = string.Join(" ", things.Select(thing => draft.Show(Scene.Of(thing))));
        return (draft, things, ArticleTexts.AnyPlace(random), shown);
    }
}
