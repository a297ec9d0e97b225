using XComposer2.Demo.World;

namespace XComposer2.Demo.Conversations;

/// <summary>Sentences and paragraphs of articles.</summary>
internal static class ArticleTexts
{
    private static readonly string[] places = ["park", "garden", "market", "museum", "school", "harbor", "forest", "city"];

    private static readonly string[] english =
    [
        "The {0} is the first thing that visitors notice.", "Everyone likes the {0} very much.", "A {0} stands here, bright and clear.", "Children often draw the {0} on paper.",
        "In the morning light the {0} looks wonderful.", "Nobody forgets the {0}.",
    ];

    private static readonly string[] chinese = ["{0}最引人注目。", "大家都很喜欢{0}。", "这里有一个明亮的{0}。", "孩子们常常画{0}。"];

    private static readonly string[] englishBeginnings = ["Welcome to the {0} of shapes.", "Today we take a walk through the {0}.", "The {0} is full of color."];

    private static readonly string[] chineseBeginnings = ["欢迎来到图形的世界。", "今天我们去看图形。"];

    private static readonly string[] englishEndings = ["We will come back soon.", "It was a day to remember.", "That is the end of our walk."];

    private static readonly string[] chineseEndings = ["我们还会再来。", "这真是难忘的一天。"];

    /// <summary>Where an article takes place.</summary>
    public static string AnyPlace(SeededRandom random) => random.Pick<string>(places);

    /// <summary>Number of different sentences about a thing.</summary>
    public static int Sentences(Language language) => Templates(language).Length;

    /// <summary>One of the sentences about a thing.</summary>
    public static string Sentence(int number, Thing thing, Language language)
    {
        // The template of a sentence has no article: "the {red circle}".
        string name = language == Language.Chinese ? Phrases.Of(thing, language) : $"{Phrases.Of(thing.Color)} {Phrases.Of(thing.Form)}";
        return Templates(language)[number].Replace("{0}", name, StringComparison.Ordinal);
    }

    /// <summary>Any sentence about a thing.</summary>
    public static string AnySentence(Thing thing, Language language, SeededRandom random) => Sentence(random.Below(Sentences(language)), thing, language);

    /// <summary>Two different sentences about a thing.</summary>
    public static string Paragraph(Thing thing, Language language, SeededRandom random) =>
        Join(language, [.. random.Distinct(2, Sentences(language)).Select(number => Sentence(number, thing, language))]);

    /// <summary>Sentences as a paragraph.</summary>
    public static string Join(Language language, params string[] sentences) => string.Join(language == Language.Chinese ? "" : " ", sentences);

    /// <summary>The first paragraph of an article.</summary>
    public static string Beginning(string place, Language language, SeededRandom random) =>
        random.Pick<string>(language == Language.Chinese ? chineseBeginnings : englishBeginnings).Replace("{0}", place, StringComparison.Ordinal);

    /// <summary>A beginning, a paragraph for each thing, and an ending.</summary>
    public static string[] Article(IEnumerable<Thing> things, string place, Language language, SeededRandom random) =>
    [
        Beginning(place, language, random), .. things.Select(thing => Paragraph(thing, language, random)),
        random.Pick<string>(language == Language.Chinese ? chineseEndings : englishEndings),
    ];

    /// <summary>Paragraphs as the composition numbers them.</summary>
    public static string Numbered(IEnumerable<string> paragraphs) => string.Concat(paragraphs.Select((text, i) => FormattableString.Invariant($"<Seg{i}> {text}\n")));

    /// <summary>The paragraphs from the second on, as the composition names them.</summary>
    public static string Places(int count) => string.Join(", ", Enumerable.Range(1, count).Select(i => FormattableString.Invariant($"<Seg{i}>")));

    private static string[] Templates(Language language) => language == Language.Chinese ? chinese : english;
}
