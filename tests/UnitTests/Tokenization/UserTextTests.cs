using XComposer2.Native.Model;
using Xunit;

namespace XComposer2.Native.UnitTests;

public sealed class UserTextTests
{
    [Theory]
    [InlineData("demo")]
    [InlineData("small")]
    [InlineData("internlm2")]
    public void What_a_user_typed_never_becomes_a_control_token_and_comes_back_whole(string name)
    {
        TokenizerCases cases = TokenizerCases.Read(name);
        HashSet<int> forbidden = [.. Marks(cases.Tokenizer)];
        Assert.True(forbidden.Count >= 6);
        foreach (string text in RandomTexts.Make(4000, 11).Concat(cases.Encode.Select(c => c.Text)))
        {
            IReadOnlyList<int> ids = cases.Tokenizer.EncodeUserText(text);
            Assert.DoesNotContain(ids, forbidden.Contains);
            // U+2581 is a space to the model, and to nobody else.
            Assert.Equal(text.Replace('\u2581', ' '), cases.Tokenizer.Decode([.. ids]));
        }
    }

    [Theory]
    [InlineData("demo")]
    [InlineData("small")]
    [InlineData("internlm2")]
    public void Text_without_marks_is_encoded_as_ever(string name)
    {
        TokenizerCases cases = TokenizerCases.Read(name);
        foreach ((string text, int[] ids) in cases.Encode)
            if (!text.Contains("[UNUSED_TOKEN_", StringComparison.Ordinal))
                Assert.Equal(ids, cases.Tokenizer.EncodeUserText(text));
    }

    [Fact]
    public void Marks_become_their_letters()
    {
        TextTokenizer tokenizer = TokenizerCases.Read("demo").Tokenizer;
        Assert.Single(tokenizer.Encode("[UNUSED_TOKEN_145]"));
        Assert.Equal("[UNUSED_TOKEN_145]", string.Concat(tokenizer.EncodeUserText("[UNUSED_TOKEN_145]").Select(id => tokenizer.Decode([id]))));
        Assert.True(tokenizer.EncodeUserText("[UNUSED_TOKEN_145]").Count > 5);
        Assert.Equal(tokenizer.EncodeUserText("\n").Concat(tokenizer.EncodeUserText("a")), tokenizer.EncodeUserText("\na"));
    }

    private static IEnumerable<int> Marks(TextTokenizer tokenizer)
    {
        string[] pieces = ["<s>", "</s>", "<unk>", "<pad>", "<|end|>", .. Enumerable.Range(0, 147).Select(n => $"[UNUSED_TOKEN_{n}]")];
        foreach (string piece in pieces)
            if (tokenizer.TryFindPiece(piece, out int id))
                yield return id;
    }
}
