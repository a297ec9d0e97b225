using XComposer2.Demo.World;

namespace XComposer2.Demo.Conversations;

/// <summary>What can be asked about one scene.</summary>
internal enum SceneQuestion
{
    Describe,
    Color,
    Shape,
    Count,
    Exists,
    Where,
    Choice,
    Size,
    Json,
    List,
}

/// <summary>Questions about one scene, with their answers.</summary>
internal static class SceneQuestions
{
    public const string Letters = "ABCD";

    private const double HardShare = 0.6;

    private static readonly SceneQuestion[] mixture =
    [
        SceneQuestion.Describe, SceneQuestion.Describe, SceneQuestion.Color, SceneQuestion.Shape, SceneQuestion.Count, SceneQuestion.Exists, SceneQuestion.Exists, SceneQuestion.Where,
        SceneQuestion.Choice, SceneQuestion.Size, SceneQuestion.Json,
    ];

    // A colour or a form alone names no object where two share it.
    private static readonly SceneQuestion[] forSharedNames =
    [
        SceneQuestion.Describe, SceneQuestion.Describe, SceneQuestion.Shape, SceneQuestion.Count, SceneQuestion.Exists, SceneQuestion.Exists, SceneQuestion.Where, SceneQuestion.Where,
        SceneQuestion.Json,
    ];

    /// <summary>Any question whose answer is certain, for a scene of at most three objects.</summary>
    public static ToyTurn Any(Scene scene, Draft draft) => Ask(draft.Random.Pick<SceneQuestion>(HasUniqueNames(scene) ? mixture : forSharedNames), scene, draft);

    /// <summary>A question of this kind about a random object of the scene.</summary>
    public static ToyTurn Ask(SceneQuestion kind, Scene scene, Draft draft)
    {
        SeededRandom random = draft.Random;
        SceneObject one = random.Pick<SceneObject>(scene.Objects.AsSpan());
        Language language = draft.AnyLanguage();
        bool zh = language == Language.Chinese;
        string color = Phrases.Of(one.Color, language), form = Phrases.Of(one.Form, language), place = Phrases.Place(one.Cell, language), thing = Phrases.Of(one.Thing, language);
        return kind switch
        {
            SceneQuestion.Describe => new ToyTurn(
                zh ? random.Pick("描述这张图片。", "请描述这张图片。") : random.Pick("Describe this image.", "Describe this image in detail.", "What is in the image?", "What do you see?"),
                Phrases.Describe(scene, language)),
            SceneQuestion.Color => zh ? new ToyTurn($"{form}是什么颜色？", $"{form}是{color}的。") : new ToyTurn($"What color is the {form}?", $"The {form} is {color}."),
            SceneQuestion.Shape => zh ? new ToyTurn($"{place}是什么？", $"{place}是{thing}。") : new ToyTurn($"What is {place}?", $"There is {thing} {place}."),
            SceneQuestion.Count => Count(scene.Objects.Length, language, random),
            SceneQuestion.Exists => Exists(scene, one, language, random),
            SceneQuestion.Where => zh ? new ToyTurn($"{thing}在哪里？", $"{thing}在{place}。") : new ToyTurn($"Where is the {color} {form}?", $"It is {place}."),
            SceneQuestion.Size => zh ? new ToyTurn($"{form}是大还是小？", one.IsLarge ? "大。" : "小。") : new ToyTurn($"Is the {form} large or small?", one.IsLarge ? "Large" : "Small"),
            SceneQuestion.Choice => Choice(one, random),
            SceneQuestion.Json => new ToyTurn("List the shapes as JSON.", Phrases.Json(scene)),
            _ => new ToyTurn("List the shapes.", $"[{Phrases.List(scene)}]"),
        };
    }

    /// <summary>A thing that the scene lacks, often with a colour or a form of the object.</summary>
    public static Thing Absent(Scene scene, SceneObject one, SeededRandom random)
    {
        while (true)
        {
            Thing other = Thing.Any(random);
            if (random.Chance(HardShare))
                other = random.Chance(0.5) ? other with { Color = one.Color } : other with { Form = one.Form };
            if (!scene.Contains(other))
                return other;
        }
    }

    /// <summary>Asks for a colour or a form with options in random order.</summary>
    /// <returns>The question, the options and the index of the right one.</returns>
    public static (string Question, string[] Options, int Right) Options(SceneObject one, int count, Language language, SeededRandom random)
    {
        bool zh = language == Language.Chinese, asksColor = random.Chance(0.5);
        int own = asksColor ? (int)one.Color : (int)one.Form, all = asksColor ? Thing.Colors : Thing.Forms;

        // Numbers below "all - 1" that skip the right one.
        List<int> options = [.. random.Distinct(count - 1, all - 1).Select(other => other < own ? other : other + 1)];
        int right = random.Below(count);
        options.Insert(right, own);
        string question = (asksColor, zh) switch
        {
            (true, false) => $"What color is the {Phrases.Of(one.Form)}?",
            (true, true) => $"{Phrases.Of(one.Form, language)}是什么颜色？",
            (false, false) => $"What shape is {Phrases.Of(one.Color)}?",
            _ => $"什么图形是{Phrases.Of(one.Color, language)}的？",
        };
        return (question, [.. options.Select(option => asksColor ? Phrases.Of((ShapeColor)option, language) : Phrases.Of((ShapeForm)option, language))], right);
    }

    private static bool HasUniqueNames(Scene scene) =>
        scene.Objects.DistinctBy(each => each.Color).Count() == scene.Objects.Length && scene.Objects.DistinctBy(each => each.Form).Count() == scene.Objects.Length;

    private static ToyTurn Count(int count, Language language, SeededRandom random) => language == Language.Chinese
        ? new ToyTurn("图中有几个图形？", $"图中有{Phrases.Number(count, language)}个图形。")
        : new ToyTurn(random.Pick("How many shapes are there?", "How many shapes are in the image?"), $"There {(count == 1 ? "is" : "are")} {Phrases.Number(count)}.");

    private static ToyTurn Exists(Scene scene, SceneObject one, Language language, SeededRandom random)
    {
        bool yes = random.Chance(0.5);
        string thing = Phrases.Of(yes ? one.Thing : Absent(scene, one, random), language);
        return language == Language.Chinese ? new ToyTurn($"图中有{thing}吗？", yes ? "有。" : "没有。") : new ToyTurn($"Is there {thing} in the image?", yes ? "Yes" : "No");
    }

    private static ToyTurn Choice(SceneObject one, SeededRandom random)
    {
        (string question, string[] options, int right) = Options(one, Letters.Length, Language.English, random);
        string listed = string.Join("\n", options.Select((option, i) => $"{Letters[i]}. {option}"));
        return new ToyTurn($"Question: {question}\n{listed}\nAnswer with the option's letter.", Letters[right].ToString());
    }
}
