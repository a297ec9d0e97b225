using System.Text;
using XComposer2.Native.Evaluation.Python;
using Xunit;

namespace XComposer2.Native.EvaluationTests;

/// <summary>Texts as Python treats them; the expected values are CPython's.</summary>
public sealed class PythonStringTests
{
    [Theory]
    [InlineData("ΑΣ", "ας")]
    [InlineData("ΑΣΑ", "ασα")]
    [InlineData("Σ", "σ")]
    [InlineData("ΑΣ.", "ας.")]
    [InlineData("ΑΣ.Α", "ασ.α")]
    [InlineData("Α\u0301Σ\u0301 Β", "α\u0301ς\u0301 β")]
    [InlineData("1Σ", "1σ")]
    [InlineData("𝐀Σ", "𝐀ς")]
    [InlineData("İI", "i\u0307i")]
    [InlineData("ǅ", "ǆ")]
    [InlineData("ẞ", "ß")]
    [InlineData("\u212A\u2126", "kω")]
    [InlineData("𐐀", "𐐨")]
    [InlineData("Ⅷ Ⓐ Ａ", "ⅷ ⓐ ａ")]
    [InlineData("ᏣᎳᎩ", "ꮳꮃꭹ")]
    public void Lower_is_that_of_Python(string text, string expected) => Assert.Equal(expected, PythonString.Lower(text));

    [Fact]
    public void Half_of_a_surrogate_pair_stays() => Assert.Equal("a\uD800b", PythonString.Lower("A\uD800B"));

    [Theory]
    [InlineData("a\u001Cb\u001Dc\u001Ed\u001Fe", 5)]
    [InlineData("a\u0085b\u00A0c\u3000d\u1680e", 5)]
    [InlineData("a\u200Bb\uFEFFc\u180Ed", 1)]
    [InlineData("a\u0000b", 1)]
    [InlineData(" \t\r\n\v\f", 0)]
    [InlineData("a\u2028b\u2029c\u202Fd\u205Fe\u200Af", 6)]
    public void Split_takes_the_blanks_of_Python(string text, int words)
    {
        Assert.Equal(words, PythonString.Split(text).Count);
        Assert.Equal(string.Concat(PythonString.Split(text)), PythonString.Split($"\u3000{text}\u001F").Aggregate("", string.Concat));
    }

    [Fact]
    public void Strip_removes_the_blanks_of_Python() => Assert.Equal("\u200Ba b\uFEFF", PythonString.Strip("\u001C\u3000\u200Ba b\uFEFF\u0085"));

    [Theory]
    [InlineData("", 0)]
    [InlineData("a😀b", 3)]
    [InlineData("e\u0301", 2)]
    [InlineData("👩‍👧", 3)]
    public void Length_counts_code_points(string text, int expected) => Assert.Equal(expected, PythonString.Length(text));

    [Theory]
    [InlineData('٣', 3)]
    [InlineData('５', 5)]
    [InlineData('²', -1)]
    [InlineData('Ⅷ', -1)]
    [InlineData('a', -1)]
    public void Digit_of_any_script_has_its_value(char character, int expected) => Assert.Equal(expected, PythonString.Digit(new Rune(character)));
}
