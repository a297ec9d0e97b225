using XComposer2.Demo.World;

namespace XComposer2.Demo.Conversations;

/// <summary>Text alone: articles, the steps of composition, edits, and a few facts.</summary>
internal static class TextKinds
{
    private const string PlacePrefix = "适合插入图像的行是", CaptionPrefix = "标题是\"";

    /// <summary>What the composition asks for where its user names no number.</summary>
    private const int DefaultFigures = 6;

    /// <summary>An article from an outline.</summary>
    public static ToySample Article(SeededRandom random)
    {
        (Draft draft, Language language, Thing[] things, string place) = Begin(random);
        string question = language == Language.Chinese
            ? $"写一篇短文，介绍{string.Join("、", things.Select(thing => Phrases.Of(thing, language)))}。"
            : $"Write a short article about the {place}. Outline: {string.Join("; ", things.Select(thing => Phrases.Of(thing)))}.";
        return draft.Turn(question, string.Join("\n", ArticleTexts.Article(things, place, language, random))).Finish() with { HasFreeWording = true };
    }

    /// <summary>The paragraphs that get a figure: those about things.</summary>
    public static ToySample Place(SeededRandom random)
    {
        (Draft draft, Language language, Thing[] things, string place) = Begin(random);
        (string question, string answer) = PlaceTurn(ArticleTexts.Article(things, place, language, random), things.Length, random);
        return draft.Turn(question, answer, PlacePrefix).Finish();
    }

    /// <summary>Asks for the paragraphs that get a figure: without a number, or with the right one, one that is too large, or one that takes the first ones alone.</summary>
    public static (string Question, string Answer) PlaceTurn(string[] article, int things, SeededRandom random)
    {
        int? number = random.Below(20) switch { < 9 => null, < 16 => things, < 18 => DefaultFigures, _ => 1 + random.Below(things) };
        string wanted = number is { } some ? FormattableString.Invariant($"{some}") : "";
        return ($"给定文章\"{ArticleTexts.Numbered(article)}\" 根据上述文章，选择适合插入图像的{wanted}行", PlacePrefix + ArticleTexts.Places(Math.Min(things, number ?? things)));
    }

    /// <summary>The caption of a figure, after those of earlier ones.</summary>
    public static ToySample Caption(SeededRandom random)
    {
        (Draft draft, Language language, Thing[] things, string place) = Begin(random);
        int at = random.Below(things.Length);
        string shown = ArticleTexts.Numbered(ArticleTexts.Article(things, place, language, random).Take(at + 3));
        string earlier = at == 0 ? "" : $"现在{string.Join("， ", things.Take(at).Select((thing, i) => $"<Seg{i + 1}>后插入图像对应的标题是\"{Phrases.Of(thing, language)}\""))}。";
        return draft.Turn($"给定文章\"{shown}\" {earlier}给出适合在<Seg{at + 1}>后插入的图像对应的标题。", $"{CaptionPrefix}{Phrases.Of(things[at], language)}\"", CaptionPrefix).Finish();
    }

    /// <summary>Only the first of two sentences remains.</summary>
    public static ToySample Abbreviate(SeededRandom random)
    {
        (Draft draft, Language language, Thing[] things, _) = Begin(random);
        int[] sentences = random.Distinct(2, ArticleTexts.Sentences(language));
        string first = ArticleTexts.Sentence(sentences[0], things[0], language);
        return draft.Turn($"缩写以下段落：{ArticleTexts.Join(language, first, ArticleTexts.Sentence(sentences[1], things[0], language))}", first).Finish();
    }

    /// <summary>Two sentences, always the same ones, follow the first.</summary>
    public static ToySample Expand(SeededRandom random)
    {
        (Draft draft, Language language, Thing[] things, _) = Begin(random);
        int count = ArticleTexts.Sentences(language);
        string first = ArticleTexts.AnySentence(things[0], language, random);
        string[] added = [.. Enumerable.Range(count - 2, 2).Select(number => ArticleTexts.Sentence(number, things[0], language))];
        return draft.Turn($"扩写以下段落：{first}\n基于以下素材：{Phrases.Of(things[0], language)}", ArticleTexts.Join(language, [first, .. added])).Finish();
    }

    /// <summary>The same sentence about another thing.</summary>
    public static ToySample Rewrite(SeededRandom random)
    {
        (Draft draft, Language language, Thing[] things, _) = Begin(random);
        Thing other = Thing.Any(random);
        int sentence = random.Below(ArticleTexts.Sentences(language));
        string question = $"改写以下段落：{ArticleTexts.Sentence(sentence, things[0], language)}\n基于以下素材：{Phrases.Of(other, language)}";
        return draft.Turn(question, ArticleTexts.Sentence(sentence, other, language)).Finish();
    }

    /// <summary>A paragraph between two, of which one may be missing.</summary>
    public static ToySample Insert(SeededRandom random)
    {
        (Draft draft, Language language, Thing[] things, _) = Begin(random);
        string one = ArticleTexts.Paragraph(things[0], language, random), two = ArticleTexts.Paragraph(Thing.Any(random), language, random);
        (string first, string second) = random.Below(10) switch { 0 => ("", one), 1 => (one, ""), _ => (one, two) };
        Thing wanted = Thing.Any(random);
        string question = $"在以下两段中插入一段。\n第一段：{first}\n第二段：{second}\n插入段的大纲：{Phrases.Of(wanted, language)}";
        return draft.Turn(question, ArticleTexts.Paragraph(wanted, language, random)).Finish() with { HasFreeWording = true };
    }

    /// <summary>Mixed colours.</summary>
    public static ToySample Mix(SeededRandom random)
    {
        (string one, string other, string result) = random.Pick(("red", "yellow", "orange"), ("red", "blue", "purple"), ("blue", "yellow", "green"), ("red", "white", "pink"));
        if (random.Chance(0.5))
            (one, other) = (other, one);
        return new Draft(random).Turn($"What color do you get by mixing {one} and {other}?", $"You get {result}.").Finish();
    }

    /// <summary>Opposites.</summary>
    public static ToySample Opposite(SeededRandom random)
    {
        (string one, string other) = random.Pick(("left", "right"), ("top", "bottom"), ("large", "small"), ("first", "second"), ("yes", "no"));
        if (random.Chance(0.5))
            (one, other) = (other, one);
        return new Draft(random).Turn($"What is the opposite of {one}?", $"The opposite of {one} is {other}.").Finish();
    }

    /// <summary>What the model is.</summary>
    public static ToySample Who(SeededRandom random)
    {
        Draft draft = new(random);
        return draft.AnyLanguage() == Language.Chinese
            ? draft.Turn(random.Pick("你是谁？", "你好，你是谁？"), "我是一个只认识彩色图形的小模型。").Finish()
            : draft.Turn(random.Pick("Who are you?", "What can you do?", "Hello"), "I am a tiny model that knows about colored shapes.").Finish();
    }

    private static (Draft Draft, Language Language, Thing[] Things, string Place) Begin(SeededRandom random)
    {
        Draft draft = new(random);
        Language language = draft.AnyLanguage();
        Thing[] things = Thing.Unlike(random, random.Pick(1, 2, 2, 3));
        return (draft, language, things, ArticleTexts.AnyPlace(random));
    }
}
