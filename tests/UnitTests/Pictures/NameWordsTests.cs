using XComposer2.Native.Composition.Pictures;
using Xunit;

namespace XComposer2.Native.UnitTests;

public class NameWordsTests
{
    [Theory]
    [InlineData("IMG_0031")]
    [InlineData("000-1")]
    [InlineData("DSC00012")]
    [InlineData("DSCF1234 (2)")]
    [InlineData("P1010101")]
    [InlineData("PXL_20230101_123456789")]
    [InlineData("20240101_101112")]
    [InlineData("WhatsApp Image 2023-01-01 at 10.11.12 AM")]
    [InlineData("IMG-20190101-WA0001")]
    [InlineData("mmexport1612345678901")]
    [InlineData("Screenshot_2023-05-05-10-11-12")]
    [InlineData("Screen Shot 2023-05-05 at 10.11.12 PM")]
    [InlineData("3f9c0ae1b2d4")]
    [InlineData("d41d8cd98f00b204e9800998ecf8427e")]
    [InlineData("0b9f7e4e-2f0c-4c52-a2ad-9d8f4ea1c001")]
    [InlineData("微信图片_20230101")]
    [InlineData("屏幕截图 2023-01-01")]
    [InlineData("图")]
    [InlineData("untitled (3) copy")]
    [InlineData("HTTP_x_y")]
    [InlineData("")]
    public void Generated_names_have_no_words(string name) => Assert.Equal(string.Empty, NameWords.Of(name));

    [Theory]
    [InlineData("red-circle", "red circle")]
    [InlineData("RedCircle2", "Red Circle")]
    [InlineData("IMG_0031_sunset_beach", "sunset beach")]
    [InlineData("长城的日落_01", "长城的日落")]
    [InlineData("cat2", "cat")]
    [InlineData("Собака", "Собака")]
    public void Chosen_names_become_words(string name, string words) => Assert.Equal(words, NameWords.Of(name));
}
