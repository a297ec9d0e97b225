using XComposer2.Demo.Conversations;
using XComposer2.Demo.World;
using XComposer2.Native.Evaluation.Prompts;

namespace XComposer2.Demo.Benchmarks;

/// <summary>Questions of the benchmarks about toy scenes, in the prompts of both protocols, with answers that their scorers read.</summary>
internal static class BenchmarkKinds
{
    /// <summary>Options of the data sets' columns.</summary>
    private const string Letters = "ABCD";

    private static readonly string[] hints = ["", "", "The picture shows shapes."];

    /// <summary>One question with options: MMBench, SEED-Bench, AI2D, Q-Bench, MMMU.</summary>
    public static ToySample Choice(SeededRandom random, string benchmark, Language language)
    {
        (Draft draft, Scene scene, SceneObject one) = Begin(random);
        bool isCircular = benchmark.StartsWith("MMBench", StringComparison.Ordinal), isMmmu = benchmark.StartsWith("MMMU", StringComparison.Ordinal);
        int count = isCircular ? random.Pick(2, 3, 4) : Letters.Length;
        (string question, string[] options, int right) = SceneQuestions.Options(one, count, language, random);
        List<(string, string)> cells = [("question", isMmmu ? $"<image 1> {question}" : question)];
        cells.AddRange(options.Select((option, i) => (Letters[i].ToString(), option)));
        if (isCircular)
            cells.Add(("hint", random.Pick<string>(hints)));
        return Finish(draft, scene, random, benchmark, [.. cells], $"The answer is {Letters[right]}");
    }

    /// <summary>A question with a short answer: MMMU without options, ChartQA.</summary>
    public static ToySample Short(SeededRandom random, string benchmark)
    {
        (Draft draft, Scene scene, SceneObject one) = Begin(random);
        bool counts = benchmark.StartsWith("MMMU", StringComparison.Ordinal) || random.Chance(0.5);
        (string question, string answer) = counts ? ("How many shapes are there?", Digit(scene)) : ($"What color is the {Phrases.Of(one.Form)}?", Phrases.Of(one.Color));
        return Finish(draft, scene, random, benchmark, [("question", benchmark.StartsWith("MMMU", StringComparison.Ordinal) ? $"<image 1> {question}" : question)], answer);
    }

    /// <summary>Whether a thing is in the picture: MME, POPE, HallusionBench.</summary>
    public static ToySample YesNo(SeededRandom random, string benchmark)
    {
        (Draft draft, Scene scene, SceneObject one) = Begin(random);
        bool yes = random.Chance(0.5);
        string question = $"Is there {Phrases.Of(yes ? one.Thing : SceneQuestions.Absent(scene, one, random))} in the image?";
        string end = benchmark == "MME" ? " Please answer yes or no." : "";
        return Finish(draft, scene, random, benchmark, [("question", question + end)], yes ? "Yes" : "No");
    }

    /// <summary>MathVista's hints, with options or with a number.</summary>
    public static ToySample Mathematics(SeededRandom random)
    {
        (Draft draft, Scene scene, SceneObject one) = Begin(random);
        string question = "Hint: Please answer the question requiring an integer answer and provide the final value, e.g., 1, 2, 3, at the end.\nQuestion: How many shapes are there?", answer = Digit(scene);
        if (random.Chance(0.5))
        {
            (string asked, string[] options, int right) = SceneQuestions.Options(one, Letters.Length, Language.English, random);
            string listed = string.Join("\n", options.Select((option, i) => $"({Letters[i]}) {option}"));
            question = $"Hint: Please answer the question and provide the correct option letter, e.g., A, B, C, D, at the end.\nQuestion: {asked}\nChoices:\n{listed}";
            answer = Letters[right].ToString();
        }

        return Finish(draft, scene, random, "MathVista_MINI", [("question", question)], answer);
    }

    /// <summary>A description: MM-Vet, LLaVA-Bench.</summary>
    public static ToySample Describe(SeededRandom random, string benchmark)
    {
        (Draft draft, Scene scene, _) = Begin(random);
        string question = benchmark == "MMVet" ? "What do you see?" : random.Pick("Describe this image in detail.", "Describe this image.");
        return Finish(draft, scene, random, benchmark, [("question", question)], Phrases.Describe(scene));
    }

    /// <summary>CreationBench: an article, without a picture.</summary>
    public static ToySample Create(SeededRandom random)
    {
        Draft draft = new(random);
        Thing[] things = Thing.Unlike(random, random.Pick(1, 1, 2));
        string place = ArticleTexts.AnyPlace(random);
        string question = $"Write a short article about the {place}. Outline: {string.Join("; ", things.Select(thing => Phrases.Of(thing)))}.";
        string article = string.Join("\n", ArticleTexts.Article(things, place, Language.English, random));
        return Finish(draft, null, random, "CreationBench", [("question", question)], article) with { HasFreeWording = true };
    }

    private static (Draft Draft, Scene Scene, SceneObject One) Begin(SeededRandom random)
    {
        Scene scene = Scene.Unlike(random);
        return (new Draft(random), scene, random.Pick<SceneObject>(scene.Objects.AsSpan()));
    }

    private static string Digit(Scene scene) => FormattableString.Invariant($"{scene.Objects.Length}");

    private static ToySample Finish(Draft draft, Scene? scene, SeededRandom random, string benchmark, (string Column, string Cell)[] cells, string answer)
    {
        BenchmarkPrompt prompt = BenchmarkPrompt.Of(benchmark, random.Chance(0.5) ? Protocol.Original : Protocol.VlmEvalKit, cells);
        if (scene is not null)
            draft.Show(scene);
        return draft.Turn(prompt.Question, answer, prompt.AnswerPrefix).Finish() with { System = prompt.System, ArePicturesFirst = true };
    }
}
