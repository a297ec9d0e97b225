using System.Text.Json;
using Parquet;
using Parquet.Schema;
using XComposer2.Native.Cli;
using Xunit;

namespace XComposer2.Native.BatchTests;

/// <summary><c>xc2 batch</c>: every input and every output.</summary>
public sealed class BatchCommandTests : IDisposable
{
    private static readonly string[] greedy = ["--greedy", "--max-tokens", "40"];

    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task Folder_becomes_lines_and_captions()
    {
        string pictures = TestInputs.Folder(folder), output = folder.File("out.jsonl");
        string shown = await BatchProgram.SucceedAsync([pictures, "--captions", "--start-caption-with", "The image", "--out", output, .. greedy]);
        Assert.Contains("out.jsonl: 5 results: 4 answers, 0 left out by filters, 1 failed", shown, StringComparison.Ordinal);
        List<JsonElement> results = BatchProgram.Results(output);
        Assert.Equal([0, 1, 2, 3, 4], results.Select(result => result.GetProperty("number").GetInt32()));
        Assert.Equal("The image shows a red star at the top.", results[1].GetProperty("text").GetString());
        Assert.Equal("invalid_image", results[4].GetProperty("error").GetProperty("code").GetString());
        Assert.Equal("The image shows a red star at the top.\n", File.ReadAllText(Path.Combine(pictures, "b.txt")));
        Assert.False(File.Exists(Path.Combine(pictures, "broken.txt")));
        Assert.Equal(File.ReadAllLines(output)[4..], File.ReadAllLines(folder.File("out.errors.jsonl")));
    }

    [Fact]
    public async Task Existing_captions_are_kept_unless_they_are_replaced()
    {
        string pictures = TestInputs.Folder(folder), mine = Path.Combine(pictures, "b.caption");
        File.WriteAllText(mine, "mine");
        await BatchProgram.SucceedAsync([pictures, "--caption-extension", ".caption", "--out", folder.File("keep.jsonl"), .. greedy]);
        Assert.Equal("mine", File.ReadAllText(mine));
        Assert.Equal($"{mine} exists already", BatchProgram.Results(folder.File("keep.jsonl"))[1].GetProperty("filter").GetString());
        await BatchProgram.SucceedAsync([pictures, "--caption-extension", ".caption", "--replace-captions", "--out", folder.File("replace.jsonl"), .. greedy]);
        Assert.Equal("The image shows a red star at the top.\n", File.ReadAllText(mine));
    }

    [Fact]
    public async Task Two_pictures_with_one_caption_are_told()
    {
        string pictures = TestInputs.Folder(folder);
        File.Copy(TestInputs.Picture(2), Path.Combine(pictures, "b.tiff"));
        await BatchProgram.SucceedAsync([pictures, "--captions", "--out", folder.File("out.jsonl"), .. greedy]);
        Assert.Contains("which is that of an earlier picture", BatchProgram.Results(folder.File("out.jsonl"))[2].GetProperty("error").GetProperty("message").GetString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("list", ".jsonl")]
    [InlineData("list", ".parquet")]
    [InlineData("jsonl", ".jsonl")]
    [InlineData("jsonl", ".parquet")]
    [InlineData("parquet", ".jsonl")]
    [InlineData("parquet", ".parquet")]
    [InlineData("tar", ".jsonl")]
    [InlineData("tar", ".parquet")]
    [InlineData("tar.gz", ".jsonl")]
    public async Task Every_input_has_exactly_one_result(string kind, string extension)
    {
        (string input, string statuses) = kind switch
        {
            "list" => (TestInputs.List(folder), "ok error ok ok"),
            "jsonl" => (TestInputs.Lines(folder), "ok ok ok ok ok ok error error error error ok error error error error"),
            "parquet" => (await TestInputs.ParquetAsync(folder), "ok ok error ok"),
            _ => (TestInputs.Tar(folder, "shard." + kind), "ok ok error ok"),
        };
        string output = folder.File("out" + extension);
        await BatchProgram.SucceedAsync([input, "--out", output, .. greedy]);
        List<JsonElement> lines = BatchProgram.Results(extension == ".parquet" ? output + ".jsonl" : output);
        Assert.Equal(statuses, string.Join(' ', lines.Select(line => line.GetProperty("status").GetString())));
        Assert.Equal(Enumerable.Range(0, lines.Count), lines.Select(line => line.GetProperty("number").GetInt32()));
        Assert.All(lines, line => Assert.Equal(line.GetProperty("status").GetString() == "ok", line.TryGetProperty("text", out _)));
        if (extension == ".parquet")
            Assert.Equal(lines.Select(line => line.TryGetProperty("text", out JsonElement text) ? text.GetString() : null), await ColumnAsync(output, "text"));
        Assert.Equal(lines.Count(line => line.GetProperty("status").GetString() == "error"), File.ReadAllLines(folder.File("out.errors.jsonl")).Length);
    }

    [Fact]
    public async Task Template_filters_and_fields_work_together()
    {
        await BatchProgram.SucceedAsync([TestInputs.Lines(folder), "--prompt", "Is this a {shape}?", "--min-side", "10000", "--out", folder.File("out.jsonl"), .. greedy]);
        List<JsonElement> results = BatchProgram.Results(folder.File("out.jsonl"));
        Assert.Equal("Is this a star?", results[0].GetProperty("prompt").GetString());
        Assert.StartsWith("min-side 10000: the picture is ", results[0].GetProperty("filter").GetString(), StringComparison.Ordinal);
        Assert.EndsWith("line 11: the prompt names {shape}; found no fields", results[10].GetProperty("error").GetProperty("message").GetString(), StringComparison.Ordinal);
        await BatchProgram.SucceedAsync([TestInputs.Folder(folder), "--reject", "star", "--out", folder.File("rejected.jsonl"), .. greedy]);
        JsonElement rejected = BatchProgram.Results(folder.File("rejected.jsonl"))[1];
        Assert.Equal(("filtered", "reject star: found 'star'", "The image shows a red star at the top."), (rejected.GetProperty("status").GetString(), rejected.GetProperty("filter").GetString(), rejected.GetProperty("text").GetString()));
    }

    [Fact]
    public async Task Requests_of_openai_are_answered_in_its_layout()
    {
        string output = folder.File("out.jsonl");
        await BatchProgram.SucceedAsync(TestInputs.Requests(folder), "--out", output);
        List<JsonElement> results = BatchProgram.Results(output);
        Assert.Equal(["good", "text", "drawn", "tools", "image", "address", "good", "url", "nobody", "line 10", "line 11"], results.Select(result => result.GetProperty("custom_id").GetString()));
        JsonElement[] responses = [.. results.Select(result => result.GetProperty("response"))];
        Assert.Equal([200, 200, 200, 400, 400, 400, 400, 400, 400, 400, 400], responses.Select(response => response.GetProperty("status_code").GetInt32()));
        Assert.Equal("The image shows a red star at the top.", responses[0].GetProperty("body").GetProperty("choices")[0].GetProperty("message").GetProperty("content").GetString());
        Assert.Equal("length", responses[1].GetProperty("body").GetProperty("choices")[0].GetProperty("finish_reason").GetString());
        string[] messages = [.. responses[3..].Select(response => response.GetProperty("body").GetProperty("error").GetProperty("message").GetString()!)];
        Assert.Contains("line 4: tools: this model does not call tools", messages[0], StringComparison.Ordinal);
        Assert.Contains("line 7: custom_id: 'good' is that of line 1 too", messages[3], StringComparison.Ordinal);
        Assert.Contains("line 8: url: expected /v1/chat/completions, found '/v1/embeddings'", messages[4], StringComparison.Ordinal);
        Assert.Contains("line 9: body is required", messages[5], StringComparison.Ordinal);
        Assert.Equal(8, File.ReadAllLines(folder.File("out.errors.jsonl")).Length);

        byte[] whole = File.ReadAllBytes(output);
        File.WriteAllBytes(output, whole[..(whole.Length / 2)]);
        await BatchProgram.SucceedAsync(TestInputs.Requests(folder), "--out", output, "--resume");
        Assert.Equal(whole, File.ReadAllBytes(output));
    }

    [Fact]
    public async Task Shards_together_are_the_whole()
    {
        string rows = TestInputs.Lines(folder, copies: 2);
        await BatchProgram.SucceedAsync([rows, "--out", folder.File("whole.jsonl"), "--max-tokens", "8"]);
        List<string> parts = [];
        for (int part = 1; part <= 3; part++)
        {
            await BatchProgram.SucceedAsync([rows, "--shard", $"{part}/3", "--out", folder.File($"part-{part}.jsonl"), "--max-tokens", "8"]);
            parts.AddRange(File.ReadAllLines(folder.File($"part-{part}.jsonl")));
        }

        Assert.Equal(File.ReadAllLines(folder.File("whole.jsonl")), parts.OrderBy(line => JsonDocument.Parse(line).RootElement.GetProperty("number").GetInt32()));
    }

    [Fact]
    public async Task Answers_do_not_depend_on_the_number_that_is_generated_together()
    {
        string rows = TestInputs.Lines(folder, copies: 3);
        await BatchProgram.SucceedAsync([rows, "--parallel", "1", "--out", folder.File("one.jsonl"), "--max-tokens", "12"]);
        await BatchProgram.SucceedAsync([rows, "--parallel", "8", "--out", folder.File("eight.jsonl"), "--max-tokens", "12"]);
        Assert.Equal(File.ReadAllText(folder.File("one.jsonl")), File.ReadAllText(folder.File("eight.jsonl")));
    }

    [Fact]
    public async Task Beams_are_searched_for_each_row()
    {
        string rows = TestInputs.List(folder);
        await BatchProgram.SucceedAsync([rows, "--beams", "3", "--parallel", "2", "--out", folder.File("beams.jsonl"), "--max-tokens", "30", "--repetition-penalty", "1"]);
        await BatchProgram.SucceedAsync([rows, "--beams", "3", "--parallel", "1", "--out", folder.File("alone.jsonl"), "--max-tokens", "30", "--repetition-penalty", "1"]);
        Assert.Equal(File.ReadAllText(folder.File("alone.jsonl")), File.ReadAllText(folder.File("beams.jsonl")));
        Assert.Equal("The image shows a red star at the top.", BatchProgram.Results(folder.File("beams.jsonl"))[0].GetProperty("text").GetString());
        (int code, string error) = await BatchProgram.RunAsync(rows, "--beams", "8", "--parallel", "9");
        Assert.Equal((ExitCode.Usage, "xc2: --parallel times --beams must be at most 64, not 72"), (code, error.Split('\n')[0]));
    }

    [Fact]
    public async Task Changed_inputs_are_refused_on_resume()
    {
        string pictures = TestInputs.Folder(folder);
        await BatchProgram.SucceedAsync([pictures, "--out", folder.File("out.jsonl"), .. greedy]);
        File.Move(Path.Combine(pictures, "b.png"), Path.Combine(pictures, "bb.png"));
        (int code, string error) = await BatchProgram.RunAsync([pictures, "--out", folder.File("out.jsonl"), "--resume", .. greedy]);
        Assert.Equal(ExitCode.Failed, code);
        Assert.Contains("out.jsonl, line 2: the inputs have changed since: the row at this place is now 'bb.png'", error, StringComparison.Ordinal);
        File.Delete(Path.Combine(pictures, "broken.jpg"));
        File.Move(Path.Combine(pictures, "bb.png"), Path.Combine(pictures, "b.png"));
        (code, error) = await BatchProgram.RunAsync([pictures, "--out", folder.File("out.jsonl"), "--resume", .. greedy]);
        Assert.Contains("the inputs have changed since: it has 5 results, they have 4 rows", error, StringComparison.Ordinal);
        Assert.Equal(ExitCode.Failed, code);
    }

    [Theory]
    [InlineData("xc2: --out must end with .jsonl or .parquet, not 'x.csv'", "--out", "x.csv")]
    [InlineData("xc2: --shard must be K/N, for example 3/16, not '4/3'", "--shard", "4/3")]
    [InlineData("xc2: --caption-extension must be an ending such as .txt, not '.png'", "--caption-extension", ".png")]
    [InlineData("xc2: --caption-extension must be an ending such as .txt, not './x'", "--caption-extension", "./x")]
    [InlineData("xc2: --prompt: expected the name of a field in braces at character 3 (two braces stand for one)", "--prompt", "a {b")]
    [InlineData("xc2: --replace-captions needs --captions", "--replace-captions")]
    public async Task Wrong_usage_is_one_line_and_the_usage(string message, params string[] arguments)
    {
        string pictures = TestInputs.Folder(folder);
        (int code, string error) = await BatchProgram.RunAsync([pictures, .. arguments]);
        Assert.Equal(ExitCode.Usage, code);
        Assert.Equal([message, "Usage: xc2 batch INPUT... [options]", ""], error.Split('\n'));
    }

    [Fact]
    public async Task Options_that_requests_of_openai_have_themselves_are_refused()
    {
        (int code, string error) = await BatchProgram.RunAsync(TestInputs.Requests(folder), "--out", folder.File("out.jsonl"), "--prompt", "hi");
        Assert.Equal(ExitCode.Usage, code);
        Assert.StartsWith("xc2: requests of a batch file have prompts and sampling of their own", error, StringComparison.Ordinal);
    }

    private static async Task<List<string?>> ColumnAsync(string path, string name)
    {
        await using FileStream file = File.OpenRead(path);
        await using ParquetReader reader = await ParquetReader.CreateAsync(file);
        DataField field = reader.Schema.GetDataFields().Single(field => field.Name == name);
        List<string?> values = [];
        for (int i = 0; i < reader.RowGroupCount; i++)
        {
            using ParquetRowGroupReader group = reader.OpenRowGroupReader(i);
            var column = new string?[group.RowCount];
            await group.ReadAsync(field, column.AsMemory()!);
            values.AddRange(column);
        }

        return values;
    }
}
