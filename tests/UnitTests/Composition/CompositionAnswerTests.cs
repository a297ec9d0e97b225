using XComposer2.Native.Composition;
using Xunit;

namespace XComposer2.Native.UnitTests;

/// <summary>Parsing of usable and unusable model answers.</summary>
public sealed class CompositionAnswerTests
{
    [Theory]
    [InlineData("<Seg1>, <Seg3>, <Seg5>.", 8, 8, new[] { 1, 3, 5 }, null)]
    [InlineData("<Seg5>, <Seg1>", 8, 8, new[] { 1, 5 }, null)]
    [InlineData("<Seg1>, <Seg1>, <Seg01>", 8, 8, new[] { 1 }, "the model named places that were dropped: 2 twice")]
    [InlineData("<Seg1>, <Seg8>, <Seg99999999999999999999>, <Seg>, <Seg-1>", 8, 8, new[] { 1 }, "the model named places that were dropped: 2 outside the article")]
    [InlineData("<Seg5>, <Seg1>, <Seg3>", 8, 2, new[] { 1, 5 }, "the model named places that were dropped: 1 more than requested")]
    [InlineData("after the second one\nI think", 8, 8, new int[0], "the model named no place for a figure: \"after the second one I think\"")]
    [InlineData("", 8, 8, new int[0], "the model named no place for a figure: \"\"")]
    [InlineData("<Seg9>", 8, 8, new int[0], "the model named no place for a figure: \"<Seg9>\"")]
    [InlineData("<Seg1", 8, 8, new int[0], "the model named no place for a figure: \"<Seg1\"")]
    public void Places_are_parsed(string answer, int sections, int most, int[] places, string? problem)
    {
        PlacesAnswer found = PlacesAnswer.Read(answer, sections, most);
        Assert.Equal(places, found.Places);
        Assert.Equal(problem, found.Problem);
    }

    [Theory]
    [InlineData(": C", 4, 2, true)]
    [InlineData("B", 2, 1, true)]
    [InlineData("是图像D。不是A", 4, 3, true)]
    [InlineData("C", 2, 0, false)]
    [InlineData("E, then B", 4, 1, true)]
    [InlineData("the second", 4, 0, false)]
    [InlineData("", 4, 0, false)]
    [InlineData("J", 10, 9, true)]
    public void Choices_are_parsed(string answer, int candidates, int index, bool isUsable) => Assert.Equal(new ChoiceAnswer(index, isUsable), ChoiceAnswer.Read(answer, candidates));

    [Theory]
    [InlineData("a red circle\"。", "a red circle")]
    [InlineData(" 水墨\n画 \" 和 \"", "水墨 画")]
    [InlineData("no end", "no end")]
    [InlineData("\"", "")]
    [InlineData("", "")]
    public void Captions_are_parsed(string answer, string caption) => Assert.Equal(caption, CaptionAnswer.Read(answer));

    [Fact]
    public void Unterminated_caption_is_truncated_between_characters()
    {
        string caption = CaptionAnswer.Read(new string('a', 199) + "😀😀");
        Assert.Equal(new string('a', 199), caption);
    }

    [Theory]
    [InlineData("one\n\n  two\n \t \n三\n", new[] { "one", "two", "三" })]
    [InlineData("\n ### head \r\ntext", new[] { "### head ", "text" })]
    [InlineData("a\u2028b\rc", new[] { "a", "b", "c" })]
    [InlineData("", new string[0])]
    [InlineData(" \n\t\n", new string[0])]
    public void Text_is_split_into_sections(string text, string[] sections)
    {
        Assert.Equal(sections, ArticleText.Split(text, out int dropped).Select(section => section.Text));
        Assert.Equal(0, dropped);
    }

    [Fact]
    public void Sections_after_the_sixtieth_are_dropped_and_counted()
    {
        IReadOnlyList<ArticleSection> sections = ArticleText.Split(string.Join('\n', Enumerable.Range(1, 75)), out int dropped);
        Assert.Equal((60, 15, "60"), (sections.Count, dropped, sections[^1].Text));
    }

    [Fact]
    public void Parsed_places_and_choices_are_always_in_range()
    {
        string[] words = ["<Seg", ">", "<Seg1>", "<Seg7>", "<Seg60>", "<Seg-1>", "<seg2>", "0", "9", "A", "B", "J", "Z", ", ", "\n", "\"", "，", "图", "\0", "\uD800", "<Seg٣>", "99999999999"];
        Random random = new(11);
        for (int i = 0; i < 5000; i++)
        {
            string answer = string.Concat(random.GetItems(words, random.Next(12)));
            int sections = random.Next(1, 61), most = random.Next(1, 61), candidates = random.Next(1, 11);
            PlacesAnswer places = PlacesAnswer.Read(answer, sections, most);
            Assert.Equal(places.Places.Where(place => place >= 0 && place < sections).Distinct().Order(), places.Places);
            Assert.True(places.Places.Count <= most);
            Assert.True(places.Places.Count > 0 || places.Problem is not null);
            ChoiceAnswer choice = ChoiceAnswer.Read(answer, candidates);
            Assert.InRange(choice.Index, 0, candidates - 1);
            Assert.DoesNotContain('\n', CaptionAnswer.Read(answer));
            Assert.DoesNotContain('"', CaptionAnswer.Read(answer));
        }
    }
}
