using XComposer2.Native.Evaluation;
using XComposer2.Native.Evaluation.DataSets;
using XComposer2.Native.Evaluation.Frames;
using Xunit;

namespace XComposer2.Native.EvaluationTests;

/// <summary>Data sets in their published layouts, and what is wrong with them: named by row and column, and never dropped in silence.</summary>
public sealed class DataSetReaderTests
{
    private static readonly string[] chart = ["index", "question", "answer", "split", "image"];

    [Fact]
    public void Missing_columns_are_named_together()
    {
        using DataFolder folder = new();
        folder.Table("POPE.tsv", ["index", "question"], ["0", "q"]);
        EvaluationException failure = Assert.Throws<EvaluationException>(() => Read(folder, "POPE"));
        Assert.Contains("expected the columns answer, category, image or image_path, found index, question", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Row_without_picture_broken_base64_and_doubled_or_unknown_index_are_named_by_row_and_column()
    {
        using DataFolder folder = new();
        folder.Table("ChartQA_TEST.tsv", chart,
            ["0", "q", "1", "test_human", DataFolder.Picture],
            ["1", "q", "1", "test_human", ""],
            ["2", "q", "1", "test_human", DataFolder.Picture[..^3] + "*=="],
            ["0", "q", "1", "test_human", DataFolder.Picture],
            ["", "q", "1", "test_human", DataFolder.Picture],
            ["5", "q", "1", "test_human", "77"],
            ["6", "", "1", "test_human", DataFolder.Picture],
            ["7", "q", "1", "test_human", "1"],
            ["8", "q", "1", "test_human", "0"]);
        DataSet dataSet = Read(folder, "ChartQA_TEST");
        Assert.Equal(9, dataSet.Samples.Count);
        Assert.Equal(
            [(2, "image"), (3, "image"), (4, "index"), (5, "index"), (6, "image"), (7, "question"), (8, "image")],
            dataSet.Problems.Select(problem => (problem.Row, problem.Column)));
        string[] messages = [.. dataSet.Problems.Select(problem => problem.Describe("f.tsv"))];
        Assert.Equal("f.tsv, row 2 (index 1), column image: expected a picture, found nothing", messages[0]);
        Assert.StartsWith("f.tsv, row 3 (index 2), column image: expected base64, found 'iVBORw0KGgo", messages[1], StringComparison.Ordinal);
        Assert.Equal("f.tsv, row 4 (index 0), column index: expected an index of its own, found that of row 1", messages[2]);
        Assert.Equal("f.tsv, row 5, column index: expected an index, found nothing", messages[3]);
        Assert.Equal("f.tsv, row 6 (index 5), column image: expected base64, or the index of a row with a picture, found '77'", messages[4]);
        Assert.Equal("f.tsv, row 7 (index 6), column question: expected a question, found nothing", messages[5]);
        Assert.Equal(PicturePlacement.OtherRow, dataSet.Samples[8].Placement);
    }

    [Fact]
    public void Quoted_cells_keep_tabs_line_ends_and_quotation_marks()
    {
        using DataFolder folder = new();
        folder.Table("ChartQA_TEST.tsv", chart, ["0", "\"a\tb\r\nc \"\"d\"\" \n\"", "1", "x", DataFolder.Picture], ["1", "5\" wide, 中文 😀", "2", "x", DataFolder.Picture]);
        DataSet dataSet = Read(folder, "ChartQA_TEST");
        Assert.Equal("a\tb\r\nc \"d\" \n", dataSet.Table[0, "question"]);
        Assert.Equal("5\" wide, 中文 😀", dataSet.Table[1, "question"]);
    }

    [Fact]
    public void Byte_order_mark_and_carriage_returns_of_lines_are_no_part_of_cells()
    {
        using DataFolder folder = new();
        folder.Write("ChartQA_TEST.tsv", $"\uFEFF{string.Join('\t', chart)}\r\n0\tq\t1\ttest_human\t{DataFolder.Picture}\r\n");
        DataSet dataSet = Read(folder, "ChartQA_TEST");
        Assert.Equal(["index", "question", "answer", "split"], dataSet.Table.Header);
        Assert.Empty(dataSet.Problems);
    }

    [Fact]
    public void Cell_of_ten_megabytes_is_read()
    {
        using DataFolder folder = new();
        string picture = Convert.ToBase64String(new byte[10 << 20]);
        folder.Table("ChartQA_TEST.tsv", chart, ["0", new string('q', 3 << 20), "1", "x", picture], ["1", "q", "1", "x", "0"]);
        DataSet dataSet = Read(folder, "ChartQA_TEST");
        Assert.Empty(dataSet.Problems);
        Assert.Equal(3 << 20, dataSet.Table[0, "question"].Length);
        Assert.Equal([picture.Length, picture.Length], PictureReader.Read(dataSet, dataSet.Samples).Select(each => each.Base64.Length));
    }

    [Fact]
    public void Row_with_more_cells_than_the_header_is_refused()
    {
        using DataFolder folder = new();
        folder.Table("ChartQA_TEST.tsv", chart, ["0", "q", "1", "x", DataFolder.Picture], ["1", "q", "1", "x", DataFolder.Picture, "more"]);
        Assert.Contains("row 2: expected 5 columns, found 6", Assert.Throws<EvaluationException>(() => Read(folder, "ChartQA_TEST")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Pictures_beside_the_data_set_are_found_and_missing_ones_named()
    {
        using DataFolder folder = new();
        folder.Table("ChartQA_TEST.tsv", ["index", "question", "answer", "image_path"], ["0", "q", "1", "a.png"], ["1", "q", "1", "b.png"], ["2", "q", "1", "['a.png', 'b.png']"], ["3", "q", "1", ""]);
        File.WriteAllBytes(folder.File("a.png"), Convert.FromBase64String(DataFolder.Picture));
        DataSet dataSet = Read(folder, "ChartQA_TEST");
        Assert.Equal([PicturePlacement.File, PicturePlacement.File, PicturePlacement.File, PicturePlacement.None], dataSet.Samples.Select(sample => sample.Placement));
        Assert.Equal([(2, "image_path"), (4, "image")], dataSet.Problems.Select(problem => (problem.Row, problem.Column)));
        Directory.CreateDirectory(folder.File("images/ChartQA_TEST"));
        File.WriteAllBytes(folder.File("images/ChartQA_TEST/b.png"), [1]);
        Assert.Single(Read(folder, "ChartQA_TEST").Problems);
    }

    [Fact]
    public void First_of_several_pictures_is_taken()
    {
        using DataFolder folder = new();
        string other = Convert.ToBase64String(new byte[60]);
        folder.Table("ChartQA_TEST.tsv", chart, ["0", "q", "1", "x", $"['{other}', '{DataFolder.Picture}']"], ["1", "q", "1", "x", $"\"[\"\"{DataFolder.Picture}\"\"]\""]);
        DataSet dataSet = Read(folder, "ChartQA_TEST");
        Assert.Equal([other, DataFolder.Picture], PictureReader.Read(dataSet, dataSet.Samples).Select(each => each.Base64));
    }

    [Fact]
    public void Reference_may_point_to_a_later_row()
    {
        using DataFolder folder = new();
        folder.Table("ChartQA_TEST.tsv", chart, ["0", "q", "1", "x", "1"], ["1", "q", "1", "x", DataFolder.Picture]);
        DataSet dataSet = Read(folder, "ChartQA_TEST");
        Assert.Equal(DataFolder.Picture, PictureReader.Read(dataSet, dataSet.Samples).First().Base64);
        Assert.Equal(DataFolder.Picture, Assert.Single(PictureReader.Read(dataSet, [dataSet.Samples[0]])).Base64);
    }

    [Fact]
    public void Rows_of_HallusionBench_without_a_picture_are_left_out_and_counted()
    {
        DataSet dataSet = DataSetReader.Read(BenchmarkCatalog.Find("hallusionbench"), TestPaths.Shared("golden/eval-toy"));
        Assert.Equal((16, 2), (dataSet.Samples.Count, dataSet.LeftOut));
        Assert.Empty(dataSet.Problems);
    }

    [Fact]
    public void CreationBench_is_read_from_JSON_and_a_missing_field_is_named()
    {
        using DataFolder folder = new();
        folder.Write("CreationBench.json", """[{"index": 3, "question": "Write.", "capability": "writing", "others": {"subset": "s"}, "ref": "R"}]""");
        TextTable table = Read(folder, "CreationBench").Table;
        Assert.Equal(("3", "Write.", "writing", "s", "R"), (table[0, "index"], table[0, "question"], table[0, "capability"], table[0, "subset"], table[0, "answer"]));
        folder.Write("CreationBench.json", """[{"index": 3, "question": "Write."}, {"index": 4}]""");
        Assert.Contains("row 2: the field question is missing", Assert.Throws<EvaluationException>(() => Read(folder, "CreationBench")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Unknown_data_set_lists_the_known_ones() =>
        Assert.Contains("MMBench_DEV_EN", Assert.Throws<EvaluationException>(() => BenchmarkCatalog.Find("ImageNet")).Message, StringComparison.Ordinal);

    private static DataSet Read(DataFolder folder, string name) => DataSetReader.Read(BenchmarkCatalog.Find(name), folder.Path);
}
