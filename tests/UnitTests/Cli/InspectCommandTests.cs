using System.Text.Json;
using XComposer2.Native.Cli;
using XComposer2.Native.Graph;
using Xunit;

namespace XComposer2.Native.UnitTests;

public sealed class InspectCommandTests : IDisposable
{
    private const string Norm = "model.layers.0.attention_norm.weight";
    private const string Linear = "model.layers.1.feed_forward.w2.weight";

    private readonly TinyCheckpoint checkpoint = new();
    private readonly Dictionary<string, TinyTensor> tensors = TinyCheckpoint.Tensors();

    public void Dispose() => checkpoint.Dispose();

    [Fact]
    public async Task Demo_is_usable()
    {
        using CliHarness xc2 = new();

        Assert.Equal(ExitCode.Done, await xc2.RunAsync("inspect", TestPaths.Repository("tools/demo/checkpoint"), "--check"));
        foreach (string words in (string[])["3 layers, hidden 256", "4 heads of 64, 2 key/value heads", "rank 16 on all five linears", "84 x 84 pixels, 36 tokens each", "tokenizer.model, 1280 pieces", "  partial LoRA        30           172,032   344.06 kB  BF16\n", "  all                127         3,439,360     6.88 MB\n"])
            Assert.Contains(words, xc2.Output, StringComparison.Ordinal);
        Assert.EndsWith("\n  All weights are finite.\n  Usable.\n", xc2.Output, StringComparison.Ordinal);
        Assert.Equal("", xc2.Error);
    }

    [Fact]
    public async Task Json_contains_every_fact()
    {
        (int exitCode, JsonElement json) = await InspectJsonAsync(TestPaths.Repository("tools/demo/checkpoint"));

        Assert.Equal(ExitCode.Done, exitCode);
        Assert.Equal(
            ["directory", "variant", "layout", "sizes", "tokenizer_pieces", "converted_bytes", "tensors", "missing", "unknown", "ignored", "wrong_shape", "decoder_biases", "unmerged_lora", "values_are_finite", "problems", "usable"],
            json.EnumerateObject().Select(property => property.Name));
        Assert.True(json.GetProperty("usable").GetBoolean());
        Assert.Equal(JsonValueKind.Null, json.GetProperty("values_are_finite").ValueKind);
        Assert.Equal("""{"kind":"feed-forward","count":9,"types":["BF16"],"elements":1179648,"bytes":2359296}""", json.GetProperty("tensors")[3].GetRawText());
        Assert.Equal(1280, json.GetProperty("sizes").GetProperty("vocabulary").GetInt32());
        Assert.Equal(1280, json.GetProperty("tokenizer_pieces").GetInt32());
    }

    [Theory]
    [InlineData("gqa-head64-fp32", "safetensors, 2 shards")]
    [InlineData("mqa-head128-bf16", "safetensors, 2 shards")]
    [InlineData("fp16-torch-bin", "torch .bin, 2 shards")]
    [InlineData("gptq-4bit-128g", "GPTQ 4-bit, dequantised to F32: safetensors, gptq_model-4bit-128g.safetensors")]
    public async Task Golden_checkpoints_lack_only_the_tokenizer(string name, string layout)
    {
        (int exitCode, JsonElement json) = await InspectJsonAsync(TestPaths.Shared("golden/" + name), "--check");

        Assert.Equal(ExitCode.Failed, exitCode);
        Assert.Equal(layout, json.GetProperty("layout").GetString());
        Assert.True(json.GetProperty("values_are_finite").GetBoolean());
        Assert.Contains("tokenizer.model", Assert.Single(json.GetProperty("problems").EnumerateArray()).GetString(), StringComparison.Ordinal);
        Assert.Equal(2, json.GetProperty("ignored").GetArrayLength());
    }

    [Fact]
    public async Task Missing_wrong_unknown_and_ignored_tensors_are_named()
    {
        tensors.Remove(Linear);
        tensors[Norm] = TinyTensor.F32(new Shape(15), _ => 1);
        tensors.Add("extra.weight", TinyTensor.F32(new Shape(2, 3), _ => 1));
        tensors.Add("model.layers.0.rotary_emb.inv_freq", TinyTensor.F32(new Shape(2), _ => 1));
        tensors.Add("model.layers.0.attention.wo.bias", TinyTensor.F32(new Shape(16), _ => 1));
        (int exitCode, JsonElement json, string text) = await InspectBothAsync();

        Assert.Equal(ExitCode.Failed, exitCode);
        Assert.Equal(Linear, Assert.Single(json.GetProperty("missing").EnumerateArray()).GetProperty("name").GetString());
        JsonElement wrong = Assert.Single(json.GetProperty("wrong_shape").EnumerateArray());
        Assert.Equal((Norm, "[16]", "[15]", "F32"), (wrong.GetProperty("name").GetString(), wrong.GetProperty("expected").GetRawText(), wrong.GetProperty("found").GetRawText(), wrong.GetProperty("found_type").GetString()));
        Assert.Equal("""{"name":"extra.weight","shape":[2,3]}""", Assert.Single(json.GetProperty("unknown").EnumerateArray()).GetRawText());
        Assert.Single(json.GetProperty("ignored").EnumerateArray());
        Assert.Single(json.GetProperty("decoder_biases").EnumerateArray());
        foreach (string words in (string[])["  missing (1)\n    model.layers.1.feed_forward.w2.weight [16, 24]\n", $"  wrong (1)\n    {Norm}: expected [16], found F32 [15]\n", "  unknown, not used (1)\n    extra.weight [2, 3]\n", "Not usable: 1 tensor missing.", "Not usable: 1 tensor with a wrong shape or type."])
            Assert.Contains(words, text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Long_lists_are_truncated_in_text_and_complete_in_json()
    {
        foreach (string name in tensors.Keys.Where(name => name.StartsWith("model.layers.1.", StringComparison.Ordinal) && name.Contains("Plora", StringComparison.Ordinal)).ToArray())
            tensors.Remove(name);
        (_, JsonElement json, string text) = await InspectBothAsync();

        Assert.Equal(10, json.GetProperty("missing").GetArrayLength());
        Assert.Contains("    and 2 more; --json lists all\n", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Non_finite_norm_is_always_found_and_other_weights_on_request()
    {
        tensors[Norm] = TinyTensor.F32(new Shape(16), index => index == 3 ? float.NaN : 1);
        (_, JsonElement norm, _) = await InspectBothAsync();
        tensors[Norm] = TinyTensor.F32(new Shape(16), _ => 1);
        tensors[Linear] = TinyTensor.F32(new Shape(16, 24), index => index == 7 ? float.PositiveInfinity : 1);
        (_, JsonElement unread, _) = await InspectBothAsync();
        (int exitCode, JsonElement read, _) = await InspectBothAsync("--check");

        Assert.Contains($"tensor '{Norm}', element 3", norm.GetProperty("problems")[0].GetString(), StringComparison.Ordinal);
        Assert.DoesNotContain("element", unread.GetProperty("problems").GetRawText(), StringComparison.Ordinal);
        Assert.Equal(ExitCode.Failed, exitCode);
        Assert.False(read.GetProperty("values_are_finite").GetBoolean());
        Assert.Contains($"tensor '{Linear}', element 7", read.GetProperty("problems").GetRawText().Replace("\\u0027", "'", StringComparison.Ordinal), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Tokenizer_larger_than_the_embedding_is_a_problem()
    {
        File.WriteAllBytes(checkpoint.PathOf("tokenizer.model"), TokenizerModel.Complete().ToArray());
        (int exitCode, JsonElement json, _) = await InspectBothAsync();

        Assert.Equal(ExitCode.Failed, exitCode);
        Assert.Contains(json.GetProperty("problems").EnumerateArray(), problem => problem.GetString()!.Contains("found 262", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Unreadable_checkpoint_is_a_one_line_error()
    {
        checkpoint.WriteText("model.safetensors", "no tensors at all");
        foreach (string path in (string[])[checkpoint.Folder, "no/such/folder", "/dev/null"])
        {
            using CliHarness xc2 = new();
            Assert.Equal(ExitCode.Failed, await xc2.RunAsync("inspect", path, "--json"));
            Assert.Matches($"^xc2: {path}[^\n]*expected[^\n]*\n$", xc2.Error);
            Assert.Equal("", xc2.Output);
        }
    }

    [Theory]
    [InlineData(0, "0 B")]
    [InlineData(999, "999 B")]
    [InlineData(1000, "1.00 kB")]
    [InlineData(17_333_680_128, "17.33 GB")]
    [InlineData(long.MaxValue, "9223372.04 TB")]
    public void Sizes_are_decimal(long bytes, string expected) => Assert.Equal(expected, InspectionText.Size(bytes));

    private async Task<(int ExitCode, JsonElement Json, string Text)> InspectBothAsync(params string[] options)
    {
        checkpoint.WriteSafetensors("model.safetensors", tensors);
        (int exitCode, JsonElement json) = await InspectJsonAsync(checkpoint.Folder, options);
        using CliHarness xc2 = new();
        Assert.Equal(exitCode, await xc2.RunAsync(["inspect", checkpoint.Folder, .. options]));
        return (exitCode, json, xc2.Output);
    }

    private static async Task<(int ExitCode, JsonElement Json)> InspectJsonAsync(string folder, params string[] options)
    {
        using CliHarness xc2 = new();
        int exitCode = await xc2.RunAsync(["inspect", folder, "--json", .. options]);
        Assert.Equal("", xc2.Error);
        using JsonDocument document = JsonDocument.Parse(xc2.Output);
        return (exitCode, document.RootElement.Clone());
    }
}
