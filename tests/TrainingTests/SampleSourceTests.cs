using XComposer2.Native.Model;
using XComposer2.Native.Training;
using Xunit;

namespace XComposer2.Native.TrainingTests;

/// <summary>The published layouts of data.</summary>
public sealed class SampleSourceTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("xc2-data-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void Pictures_are_a_path_a_list_or_named_in_the_text()
    {
        string path = Write("data.json", """
            [{"id": 7, "image": "a.png", "conversations": [{"from": "human", "value": "<ImageHere>one"}, {"from": "gpt", "value": "1"}]},
             {"image": ["b.png", "/c.png"], "conversations": [{"from": "User", "value": "two"}, {"from": "assistant", "value": "2"}]},
             {"conversations": [{"from": "user", "value": "<img>d.png</img><img>sub/e.png</img>three"}, {"from": "assistant", "value": "3"}]}]
            """);
        IReadOnlyList<TrainingSample> samples = ConversationFile.Read(path);
        Assert.Equal(["7", "1", "2"], samples.Select(sample => sample.Id));
        Assert.Equal([Path.Combine(folder, "a.png")], samples[0].Pictures);
        Assert.Equal([Path.Combine(folder, "b.png"), "/c.png"], samples[1].Pictures);
        Assert.Equal([Path.Combine(folder, "d.png"), Path.Combine(folder, "sub/e.png")], samples[2].Pictures);
        Assert.Equal([new TrainingTurn(true, "<ImageHere><ImageHere>three"), new TrainingTurn(false, "3")], samples[2].Turns);
    }

    [Fact]
    public void Layouts_of_ms_swift_are_read()
    {
        string path = Write("swift.jsonl", """
            {"query": "<img>a.png</img>one", "response": "1", "history": [["zero", "0"], ["half", "0.5"]]}
            {"query": "two", "response": "2", "images": ["b.png"]}
            {"messages": [{"role": "user", "content": "<image>three<image>"}, {"role": "assistant", "content": "3"}], "images": ["c.png", "d.png"]}
            """);
        IReadOnlyList<TrainingSample> samples = ConversationFile.Read(path);
        Assert.Equal([new(true, "zero"), new(false, "0"), new(true, "half"), new(false, "0.5"), new(true, "<ImageHere>one"), new(false, "1")], samples[0].Turns);
        Assert.Equal(["a.png", "b.png", "c.png", "d.png"], samples.SelectMany(sample => sample.Pictures).Select(Path.GetFileName));
        Assert.Equal([new(true, "two"), new(false, "2")], samples[1].Turns);
        Assert.Equal([new(true, "<ImageHere>three<ImageHere>"), new(false, "3")], samples[2].Turns);
    }

    [Fact]
    public void Faulty_samples_among_others_are_named_and_the_others_are_read()
    {
        string good = """{"conversations": [{"from": "user", "value": "x"}, {"from": "assistant", "value": "y"}]}""";
        string path = Write("mixed.jsonl", string.Join('\n', good, "{\"id\": 7}", good, "{\"conv", """{"conversations": [{"from": "system", "value": "x"}]}""", good));
        IReadOnlyList<TrainingSample> samples = ConversationFile.Read(path);
        Assert.Equal([false, true, false, true, true, false], samples.Select(sample => sample.Fault is not null));
        Assert.Equal($"{path}, sample 1: expected conversations, found none", samples[1].Fault);
        Assert.StartsWith($"{path}, sample 3: ", samples[3].Fault, StringComparison.Ordinal);
        Assert.Equal($"{path}, sample 4: expected turns of a user and an assistant, as the model was trained, found one of the system", samples[4].Fault);
        var text = new TrainingText(TextTokenizer.Load(GoldenTraining.Model));
        Assert.Equal(samples[1].Fault, Assert.Throws<TrainingDataException>(() => text.Write(samples[1], 1)).Message);
    }

    [Fact]
    public void Lists_give_groups_with_weights()
    {
        Write("a.jsonl", """{"conversations": [{"from": "user", "value": "x"}]}""");
        string list = Write("data.txt", "a.jsonl 9\na.jsonl 0.5\n");
        Assert.Equal([9, 0.5, 1], SampleSources.ReadGroups([list, Path.Combine(folder, "a.jsonl")]).Select(group => group.Weight));
    }

    [Theory]
    [InlineData("[{\"id\": 1}]", "sample 0: expected conversations, found none")]
    [InlineData("{}", "expected a list of samples, found Object")]
    [InlineData("[{\"image\": 3, \"conversations\": [{\"from\": \"user\", \"value\": \"x\"}]}]", "sample 0: image: expected a path or a list of paths, found Number")]
    [InlineData("[{\"image\": \"http://host/a.png\", \"conversations\": [{\"from\": \"user\", \"value\": \"x\"}]}]", "sample 0: image: expected a file, found the address http://host/a.png")]
    [InlineData("[{\"image\": \"a.png\", \"conversations\": [{\"from\": \"user\", \"value\": \"<img>b.png</img>\"}]}]", "sample 0: expected pictures in image or as <img> in the text, found both")]
    [InlineData("[{\"conversations\": [{\"from\": \"user\"}]}]", "sample 0: expected turns with from and value, found {\"from\": \"user\"}")]
    public void Other_layouts_are_refused(string json, string message)
    {
        string path = Write("data.json", json);
        var refused = Assert.Throws<TrainingDataException>(() => ConversationFile.Read(path));
        Assert.EndsWith(message, refused.Message, StringComparison.Ordinal);
        Assert.StartsWith(path, refused.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("0.5", false, 5)]
    [InlineData("2.5", false, 25)]
    [InlineData("0.012", true, 12)]
    public void List_of_files_states_shares_or_thousands(string number, bool areThousands, int count)
    {
        Write("ten.jsonl", string.Join('\n', Enumerable.Range(0, 10).Select(i => $$"""{"id": "{{i}}", "conversations": [{"from": "user", "value": "x"}]}""")));
        string list = Write("data.txt", $"ten.jsonl {number}\n");
        IReadOnlyList<TrainingSample> samples = SampleSources.Read([list], areThousands, seed: 1);
        Assert.Equal(count, samples.Count);
        Assert.Equal(Math.Min(count, 10), samples.Select(sample => sample.Id).Distinct().Count());
        Assert.Equal(samples.Select(sample => sample.Id), SampleSources.Read([list], areThousands, seed: 1).Select(sample => sample.Id));
    }

    [Fact]
    public void List_without_a_number_names_the_line()
    {
        string list = Write("data.txt", "\nten.jsonl\n");
        Assert.Equal($"{list}, line 2: expected a path and a number above 0, found 'ten.jsonl'", Assert.Throws<TrainingDataException>(() => SampleSources.Read([list])).Message);
    }

    private string Write(string name, string text)
    {
        string path = Path.Combine(folder, name);
        File.WriteAllText(path, text);
        return path;
    }
}
