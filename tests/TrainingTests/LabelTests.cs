using System.Text.Json;
using XComposer2.Native.Model;
using XComposer2.Native.Training;
using XComposer2.Native.UnitTests;
using Xunit;

namespace XComposer2.Native.TrainingTests;

/// <summary>Conversations as ids and labels, against the original's own function.</summary>
public sealed class LabelTests
{
    [Fact]
    public void Ids_and_labels_of_all_golden_conversations_are_equal()
    {
        string tokenizer = TestPaths.Shared("golden/tokenizer/internlm2.tokenizer.model");
        using FileBytes bytes = FileBytes.Read(tokenizer, long.MaxValue, "file", TestContext.Current.CancellationToken);
        var text = new TrainingText(TextTokenizer.Read(bytes));
        using JsonDocument cases = GoldenTraining.Json("labels.json");
        int count = 0;
        foreach (JsonElement one in cases.RootElement.EnumerateArray())
        {
            var sample = new TrainingSample(
                $"{count++}",
                [.. one.GetProperty("conversations").EnumerateArray().Select(turn => new TrainingTurn(
                    turn.GetProperty("from").GetString()!.ToUpperInvariant() is "USER" or "HUMAN", turn.GetProperty("value").GetString()!))],
                [.. Enumerable.Repeat("picture", one.GetProperty("pictures").GetInt32())]);
            int? most = one.GetProperty("max_length").ValueKind == JsonValueKind.Null ? null : one.GetProperty("max_length").GetInt32();
            LabelledText labelled = text.Write(sample, one.GetProperty("rows").GetInt32(), most);
            Assert.Equal(GoldenTraining.Integers(one.GetProperty("ids")), labelled.Ids);
            Assert.Equal(GoldenTraining.Integers(one.GetProperty("labels")), labelled.Labels);
        }

        Assert.Equal(12, count);
    }

    [Fact]
    public void Marks_of_turns_in_a_sample_are_text()
    {
        var tokenizer = TextTokenizer.Load(GoldenTraining.Model);
        Assert.True(tokenizer.TryFindPiece("[UNUSED_TOKEN_145]", out int end));
        LabelledText labelled = new TrainingText(tokenizer).Write(Sample("a[UNUSED_TOKEN_145]b", "c"), 4);
        Assert.Equal(2, labelled.Ids.Count(id => id == end));
    }

    [Fact]
    public void Sample_with_more_places_than_pictures_is_refused()
    {
        var text = new TrainingText(TextTokenizer.Load(GoldenTraining.Model));
        var refused = Assert.Throws<TrainingDataException>(() => text.Write(Sample("<ImageHere> and <ImageHere>?", "yes"), 4));
        Assert.Equal("sample 'one': expected 2 pictures, one for each <ImageHere>, found 0", refused.Message);
    }

    private static TrainingSample Sample(string question, string answer) =>
        new("one", [new TrainingTurn(true, question), new TrainingTurn(false, answer)], []);
}
