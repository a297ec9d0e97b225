using XComposer2.Native.Model;
using Xunit;

namespace XComposer2.Native.UnitTests;

/// <summary>SentencePiece itself is the witness: every id and every letter.</summary>
public sealed class TokenizerGoldenTests
{
    [Theory]
    [InlineData("demo")]
    [InlineData("small")]
    [InlineData("internlm2")]
    [InlineData("shared")]
    public void Ids_are_those_of_sentencepiece(string name)
    {
        TokenizerCases cases = TokenizerCases.Read(name);
        Assert.True(cases.Encode.Count > 100);
        Assert.All(cases.Encode, c => Assert.Equal(c.Ids, cases.Tokenizer.Encode(c.Text)));
    }

    [Theory]
    [InlineData("demo")]
    [InlineData("small")]
    [InlineData("internlm2")]
    [InlineData("shared")]
    public void Texts_are_those_of_sentencepiece(string name)
    {
        TokenizerCases cases = TokenizerCases.Read(name);
        Assert.True(cases.Decode.Count > 100);
        Assert.All(cases.Decode, c => Assert.Equal(c.Text, cases.Tokenizer.Decode(c.Ids)));
    }

    [Fact]
    public void Published_ids_of_the_template()
    {
        TextTokenizer tokenizer = TokenizerCases.Read("shared").Tokenizer;
        Assert.Equal((92544, 1, 2), (tokenizer.VocabularySize, tokenizer.BosId, tokenizer.EosId));
        Assert.Equal([92543, 1008, 364], tokenizer.Encode("[UNUSED_TOKEN_146]user\n"));
        Assert.Equal([92543, 525, 11353, 364], tokenizer.Encode("[UNUSED_TOKEN_146]assistant\n"));
        Assert.Equal([92543, 9081, 364], tokenizer.Encode("[UNUSED_TOKEN_146]system\n"));
        Assert.Equal([92542, 364], tokenizer.Encode("[UNUSED_TOKEN_145]\n"));
        Assert.Equal([5658, 7654, 550, 2321, 435, 7856, 281], tokenizer.Encode("Please describe this image in detail."));
        Assert.Equal([334, 487], tokenizer.Encode(": C"));
        Assert.True(tokenizer.TryFindPiece("[UNUSED_TOKEN_0]", out int articleStop));
        Assert.Equal(92397, articleStop);
        Assert.False(tokenizer.TryFindPiece("no such piece", out _));
    }

    [Theory]
    [InlineData("demo")]
    [InlineData("internlm2")]
    public void Half_characters_are_replacement_characters(string name)
    {
        TextTokenizer tokenizer = TokenizerCases.Read(name).Tokenizer;
        Assert.Equal(tokenizer.Encode("\uFFFDa\uFFFD\uFFFDb\uFFFD😀\uFFFD"), tokenizer.Encode("\uD800a\uDC00\uD83Db\uDE00😀\uD83D"));
        Assert.Equal("\uFFFD\uFFFD", tokenizer.Decode([.. tokenizer.EncodeUserText("\uDC00\uD800")]));
    }

    [Fact]
    public void One_tokenizer_serves_many_threads()
    {
        TokenizerCases cases = TokenizerCases.Read("demo");
        Parallel.For(0, 8, _ =>
        {
            foreach ((string text, int[] ids) in cases.Encode)
                Assert.Equal((ids.Length, cases.Tokenizer.Decode(ids)), (cases.Tokenizer.Encode(text).Count, cases.Tokenizer.Decode([.. cases.Tokenizer.Encode(text)])));
        });
    }

    [Fact]
    public void Ids_outside_of_the_vocabulary_are_unknown_text()
    {
        TextTokenizer tokenizer = TokenizerCases.Read("demo").Tokenizer;
        Assert.Equal(" \u2047  \u2047  \u2047 ", tokenizer.Decode([-1, tokenizer.VocabularySize, int.MaxValue]));
    }
}
