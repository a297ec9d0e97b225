using XComposer2.Native.Evaluation.Frames;
using Xunit;

namespace XComposer2.Native.EvaluationTests;

/// <summary>What pandas makes of a column of texts.</summary>
public sealed class PandasColumnTests
{
    [Theory]
    [InlineData(new[] { "7", "007", "12" }, new[] { "7", "7", "12" })]
    [InlineData(new[] { "007", "0.50" }, new[] { "7.0", "0.5" })]
    [InlineData(new[] { "4", "" }, new[] { "4.0", null })]
    [InlineData(new[] { "007", "x" }, new[] { "007", "x" })]
    [InlineData(new[] { "True", "FALSE" }, new[] { "True", "False" })]
    [InlineData(new[] { "1e3", "inf" }, new[] { "1000.0", "inf" })]
    [InlineData(new[] { "1_000", "2" }, new[] { "1_000", "2" })]
    [InlineData(new[] { "nan", "None", " nan", "none", " " }, new[] { null, null, " nan", "none", " " })]
    [InlineData(new[] { "", "" }, new string?[] { null, null })]
    [InlineData(new[] { "９", "8" }, new[] { "９", "8" })]
    public void Column_is_read_as_pandas_reads_it(string[] cells, string?[] expected) => Assert.Equal(expected, PandasColumn.Load(cells, AnswerFile.Tsv));

    [Fact]
    public void None_is_a_text_for_pandas_1() => Assert.Equal(["None", null], PandasColumn.Load(["None", "NA"], AnswerFile.TsvOfPandas1));

    [Fact]
    public void Excel_escapes_control_characters_and_cuts_long_texts()
    {
        Assert.Equal(["a_x000D_\nb", "c\td", "_x005F_x000D_"], PandasColumn.Load(["a\r\nb", "c\td", "_x000D_"], AnswerFile.Xlsx));
        Assert.Equal(32767, PandasColumn.Load([new string('a', 40000)], AnswerFile.Xlsx)[0]!.Length);
    }

    [Fact]
    public void Without_a_file_nothing_changes() => Assert.Equal(["NA", "007"], PandasColumn.Load(["NA", "007"], AnswerFile.None));
}
