using System.Buffers.Binary;
using System.Text;
using XComposer2.Native.Graph;
using XComposer2.Native.Model;

namespace XComposer2.Native.UnitTests;

/// <summary>A model of a few KB in a temporary folder, to be damaged by tests. Disposal deletes the folder.</summary>
internal sealed class TinyCheckpoint : IDisposable
{
    public const string ConfigJson = """
        {"architectures":["InternLMXComposer2ForCausalLM"],"model_type":"internlmxcomposer2","bias":false,"hidden_act":"silu",
        "vocab_size":24,"hidden_size":16,"intermediate_size":24,"num_hidden_layers":2,"num_attention_heads":4,"num_key_value_heads":2,
        "img_size":8,"max_length":64,"rms_norm_eps":1e-5,"rope_theta":1000000,"torch_dtype":"float32","plora":{"rank":4,"alpha":8},
        "vision_config":{"hidden_size":8,"intermediate_size":12,"num_hidden_layers":1,"num_attention_heads":2,"image_size":8,"patch_size":4}}
        """;

    public TinyCheckpoint()
    {
        Folder = Directory.CreateTempSubdirectory("xc2-checkpoint-").FullName;
        WriteText("config.json", ConfigJson);
    }

    public string Folder { get; }

    /// <summary>All tensors of the model in F32, small numbers.</summary>
    public static Dictionary<string, TinyTensor> Tensors()
    {
        ModelConfig config = ModelConfigReader.Resolve("config.json", Encoding.UTF8.GetBytes(ConfigJson), []);
        Dictionary<string, TinyTensor> tensors = [];
        foreach (ExpectedTensor expected in ModelTensors.Expected(config))
            tensors.Add(expected.Name, TinyTensor.F32(expected.Shape, index => ((index % 13) - 6) / 8f));
        return tensors;
    }

    public string PathOf(string name) => Path.Combine(Folder, name);

    public void WriteText(string name, string text) => File.WriteAllText(PathOf(name), text);

    public void WriteSafetensors(string name, IReadOnlyDictionary<string, TinyTensor> tensors) => File.WriteAllBytes(PathOf(name), Safetensors(tensors));

    public void WriteTorch(string name, IReadOnlyDictionary<string, TinyTensor> tensors) => File.WriteAllBytes(PathOf(name), TorchFixture.Archive(tensors));

    /// <summary>Two shards and their index.</summary>
    public void WriteShards(string prefix, string extension, Dictionary<string, TinyTensor> tensors)
    {
        Dictionary<string, TinyTensor>[] halves = [[], []];
        StringBuilder map = new();
        int i = 0;
        foreach ((string name, TinyTensor tensor) in tensors)
        {
            int half = i++ * 2 / tensors.Count;
            halves[half].Add(name, tensor);
            map.Append(map.Length == 0 ? "" : ",").Append($"\"{name}\":\"{prefix}-0000{half + 1}-of-00002{extension}\"");
        }
        for (int half = 0; half < 2; half++)
        {
            string file = $"{prefix}-0000{half + 1}-of-00002{extension}";
            if (extension == ".bin")
                WriteTorch(file, halves[half]);
            else
                WriteSafetensors(file, halves[half]);
        }
        WriteText($"{prefix}{extension}.index.json", $$$"""{"metadata":{"total_size":1},"weight_map":{{{{map}}}}}""");
    }

    public Checkpoint Open() => CheckpointFolder.Open(Folder);

    /// <summary>Opens and expects an error whose message has all of <paramref name="words"/>.</summary>
    public CheckpointException Refused(params string[] words) => Refused(() => Open().Dispose(), words);

    public static CheckpointException Refused(Action open, params string[] words)
    {
        CheckpointException error = Xunit.Assert.Throws<CheckpointException>(open);
        foreach (string word in words)
            Xunit.Assert.Contains(word, error.Message, StringComparison.Ordinal);
        return error;
    }

    public static byte[] Safetensors(IReadOnlyDictionary<string, TinyTensor> tensors)
    {
        StringBuilder header = new("""{"__metadata__":{"format":"pt"}""");
        long offset = 0;
        foreach ((string name, TinyTensor tensor) in tensors)
        {
            header.Append($$""","{{name}}":{"dtype":"{{tensor.TypeName}}","shape":[{{string.Join(',', tensor.Shape.AsSpan().ToArray())}}],"data_offsets":[{{offset}},{{offset + tensor.Data.Length}}]}""");
            offset += tensor.Data.Length;
        }
        header.Append('}');
        header.Append(' ', (8 - (header.Length % 8)) % 8);
        return SafetensorsFrom(header.ToString(), [.. tensors.Values.SelectMany(tensor => tensor.Data)]);
    }

    public static byte[] SafetensorsFrom(string header, byte[] data)
    {
        byte[] json = Encoding.UTF8.GetBytes(header);
        byte[] file = new byte[8 + json.Length + data.Length];
        BinaryPrimitives.WriteInt64LittleEndian(file, json.Length);
        json.CopyTo(file, 8);
        data.CopyTo(file, 8 + json.Length);
        return file;
    }

    public void Dispose() => Directory.Delete(Folder, recursive: true);
}
