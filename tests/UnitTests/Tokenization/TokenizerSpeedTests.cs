using System.Diagnostics;
using XComposer2.Native.Model;
using Xunit;

namespace XComposer2.Native.UnitTests;

/// <summary>Guards against quadratic time: limits are some ten times what a busy machine of two cores takes.</summary>
public sealed class TokenizerSpeedTests(ITestOutputHelper output)
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(8);

    [Theory]
    [InlineData("demo")]
    [InlineData("internlm2")]
    public void A_million_letters(string name)
    {
        TextTokenizer tokenizer = TokenizerCases.Read(name).Tokenizer;
        string words = string.Concat(Enumerable.Range(0, 150_000).Select(i => $"word{i % 97} 图片"))[..1_000_000];
        Encode(tokenizer, words, "words");
        Encode(tokenizer, new string('[', 1_000_000), "brackets");
        Encode(tokenizer, new string('\u0378', 300_000), "unknown characters");
        Encode(tokenizer, string.Concat(Enumerable.Repeat("[UNUSED_TOKEN_145]", 50_000)), "marks");
    }

    [Theory]
    [InlineData("demo")]
    [InlineData("internlm2")]
    public void One_word_of_a_hundred_thousand_letters(string name)
    {
        TextTokenizer tokenizer = TokenizerCases.Read(name).Tokenizer;
        Encode(tokenizer, new string('a', 100_000), "one letter");
        Random random = new(5);
        Encode(tokenizer, new string([.. Enumerable.Range(0, 100_000).Select(_ => (char)('a' + random.Next(26)))]), "random letters");
    }

    [Theory]
    [InlineData("demo")]
    [InlineData("internlm2")]
    public void Loading(string name)
    {
        Stopwatch watch = Stopwatch.StartNew();
        TokenizerCases.Read(name);
        output.WriteLine($"{name}: {watch.Elapsed.TotalMilliseconds:F0} ms with its cases");
        Assert.True(watch.Elapsed < Limit);
    }

    private void Encode(TextTokenizer tokenizer, string text, string what)
    {
        Stopwatch watch = Stopwatch.StartNew();
        IReadOnlyList<int> ids = tokenizer.EncodeUserText(text);
        output.WriteLine($"{what}, {text.Length} letters: {watch.Elapsed.TotalMilliseconds:F0} ms, {ids.Count} ids");
        Assert.True(watch.Elapsed < Limit, $"{what}: {watch.Elapsed}");
        Assert.Equal(text, tokenizer.Decode([.. ids]));
    }
}
