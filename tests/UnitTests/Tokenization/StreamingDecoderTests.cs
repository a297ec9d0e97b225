using System.Text;
using XComposer2.Native.Model;
using Xunit;

namespace XComposer2.Native.UnitTests;

public sealed class StreamingDecoderTests
{
    [Theory]
    [InlineData("demo")]
    [InlineData("small")]
    [InlineData("internlm2")]
    [InlineData("shared")]
    public void Pieces_together_are_the_whole_text_wherever_it_is_cut(string name)
    {
        TokenizerCases cases = TokenizerCases.Read(name);
        foreach ((int[] ids, string text) in cases.Decode.Concat(cases.Encode.Select(c => (c.Ids, cases.Tokenizer.Decode(c.Ids)))))
            for (int cut = 0; cut <= ids.Length; cut++)
            {
                Assert.Equal(cases.Tokenizer.Decode(ids.AsSpan(0, cut)), Stream(cases.Tokenizer, ids.AsSpan(0, cut)));
                if (cut == ids.Length)
                    Assert.Equal(text, Stream(cases.Tokenizer, ids));
            }
    }

    [Theory]
    [InlineData("demo")]
    [InlineData("small")]
    public void Random_ids(string name)
    {
        TextTokenizer tokenizer = TokenizerCases.Read(name).Tokenizer;
        Assert.True(tokenizer.TryFindPiece("<0x00>", out int firstByte));
        Random random = new(21);
        for (int i = 0; i < 20_000; i++)
        {
            int[] ids = new int[random.Next(1, 20)];
            foreach (ref int id in ids.AsSpan())
                id = random.Next(3) == 0 ? random.Next(tokenizer.VocabularySize) : firstByte + random.Next(0x80, 0x100);
            Assert.Equal(tokenizer.Decode(ids), Stream(tokenizer, ids));
        }
    }

    [Fact]
    public void A_character_comes_with_its_last_byte()
    {
        TextTokenizer tokenizer = TokenizerCases.Read("demo").Tokenizer;
        StreamingDecoder decoder = new(tokenizer);
        IReadOnlyList<int> ids = tokenizer.Encode("😀");
        Assert.Equal(["", "", "", "😀"], ids.Select(decoder.Add));
        Assert.Equal("", decoder.Finish());
        Assert.Equal(["", "", ""], ids.Take(3).Select(decoder.Add));
        Assert.Equal("\uFFFD\uFFFD\uFFFD", decoder.Finish());
        Assert.Equal("\uFFFD\uFFFDThe", decoder.Add(ids[0]) + decoder.Add(ids[1]) + decoder.Add(tokenizer.Encode("The")[0]));
    }

    private static string Stream(TextTokenizer tokenizer, ReadOnlySpan<int> ids)
    {
        StreamingDecoder decoder = new(tokenizer);
        StringBuilder text = new();
        foreach (int id in ids)
        {
            string delta = decoder.Add(id);
            Assert.True(delta.Length == 0 || (!char.IsLowSurrogate(delta[0]) && !char.IsHighSurrogate(delta[^1])), "half a character");
            text.Append(delta);
        }
        return text.Append(decoder.Finish()).ToString();
    }
}
