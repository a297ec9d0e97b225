using System.Text;
using XComposer2.Native.Graph;
using XComposer2.Native.Model;
using Xunit;

namespace XComposer2.Native.UnitTests;

public sealed class ModelConfigTests
{
    private const string Common = """
        "vocab_size": 92544, "rms_norm_eps": 1e-05, "rope_theta": 1000000, "max_position_embeddings": 32768, "hidden_act": "silu", "bias": false,
        "tie_word_embeddings": false, "bos_token_id": 1, "eos_token_id": 2, "pad_token_id": 2, "initializer_range": 0.02, "use_cache": false,
        "num_key_value_heads": 8, "transformers_version": "4.33.1",
        "auto_map": {"AutoConfig": "configuration_internlm_xcomposer2.InternLMXcomposer2Config", "AutoModel": "modeling_internlm_xcomposer2.InternLMXComposer2ForCausalLM"},
        """;

    private const string Large = Common + """
        "hidden_size": 4096, "intermediate_size": 14336, "num_attention_heads": 32, "num_hidden_layers": 32,
        """;

    private const string Vl7B = "{" + Large + """
        "architectures": ["InternLMXComposer2ForCausalLM"], "model_type": "internlmxcomposer2", "img_size": 490, "max_length": 4096, "torch_dtype": "bfloat16", "rope_scaling": {"factor": 1.0, "type": "dynamic"}}
        """;

    private const string Composition7B = "{" + Large + """
        "architectures": ["InternLMXComposer2ForCausalLM"], "model_type": "internlmxcomposer2", "attn_implementation": "eager", "img_size": 224, "max_length": 4096, "torch_dtype": "bfloat16", "rope_scaling": {"factor": 1.0, "type": "dynamic"}}
        """;

    private const string HighResolution = "{" + Large + """
        "architectures": ["InternLM2ForCausalLM"], "model_type": "internlmxcomposer2", "attn_implementation": "flash_attention_2", "max_length": 16384, "torch_dtype": "bfloat16", "rope_scaling": null}
        """;

    private const string Small = "{" + Common + """
        "hidden_size": 2048, "intermediate_size": 8192, "num_attention_heads": 16, "num_hidden_layers": 24,
        "architectures": ["InternLMXComposer2ForCausalLM"], "model_type": "internlmxcomposer2", "img_size": 490, "max_length": 4096, "torch_dtype": "bfloat16", "rope_scaling": {"factor": 2.0, "type": "dynamic"}}
        """;

    private const string FourBit = "{" + Large + """
        "architectures": ["InternLMXComposer2ForCausalLM"], "model_type": "internlm", "img_size": 490, "max_length": 4096, "torch_dtype": "float16", "rope_scaling": {"factor": 1.0, "type": "dynamic"}}
        """;

    [Theory]
    [InlineData(Vl7B, ModelPresets.VisionLanguage7B, 940, 8_666_840_064)]
    [InlineData(Composition7B, ModelPresets.Composition7B, 940, 8_665_847_808)]
    [InlineData(Small, ModelPresets.VisionLanguage1B8, 804, 2_451_235_840)]
    [InlineData(FourBit, ModelPresets.VisionLanguage7B, 940, 8_666_840_064)]
    public void Published_configurations_are_the_presets(string json, string preset, int tensorCount, long parameters)
    {
        ModelConfig config = Resolve(json, []);
        ModelConfig expected = ModelPresets.Find(preset);
        Assert.Equal(expected, config with { StoredType = expected.StoredType });
        Assert.Equal(json == FourBit ? DType.F16 : DType.BF16, config.StoredType);
        IReadOnlyList<ExpectedTensor> tensors = ModelTensors.Expected(config);
        Assert.Equal(tensorCount, tensors.Count);
        // The totals known from file sizes count the 2 x 1024 numbers of post_layernorm, which the published files lack or the model does not use.
        Assert.Equal(parameters, tensors.Sum(tensor => tensor.Shape.ElementCount) + 2048);
        Assert.All(tensors, tensor => Assert.Equal(tensor.Kind, ModelTensors.KindOf(tensor.Name)));
        Assert.Equal(config, Resolve(json, Facts(tensors)));
    }

    [Fact]
    public void The_4khd_model_is_recognised_and_its_pictures_are_not_supported_yet()
    {
        ModelConfig config = Resolve(HighResolution, []);
        Assert.Equal(ModelVariant.HighResolution7B, config.Variant);
        Assert.Equal((336, 16384, 4096), (config.ImageSize, config.ContextLength, config.ProjectorInputSize));
        TinyCheckpoint.Refused(() => config.RequireSupportedImages("folder"), "folder", "not supported yet");

        ModelConfig published = config with { Decoder = config.Decoder with { Plora = config.Decoder.Plora with { Wqkv = new PloraConfig(8, 2f) } } };
        ModelConfig resolved = Resolve(HighResolution, Facts(ModelTensors.Expected(published)));
        Assert.Equal(published, resolved);
        Assert.Equal(8_597_000_000, ModelTensors.Expected(resolved).Sum(tensor => tensor.Shape.ElementCount), 5_000_000.0);
        Resolve(Vl7B, []).RequireSupportedImages("folder");
    }

    [Fact]
    public void Sizes_come_from_the_tensors_before_config_json_before_published_defaults()
    {
        ModelConfig tiny = Resolve(TinyCheckpoint.ConfigJson, []);
        List<CheckpointTensor> tensors = Facts(ModelTensors.Expected(tiny));
        string sparse = """{"num_attention_heads":4,"plora":{"alpha":8},"img_size":8,"max_length":64,"vision_config":{"num_attention_heads":2},"torch_dtype":"float32"}""";
        Assert.Equal(tiny, Resolve(sparse, tensors));
        Assert.Equal(ModelPresets.Find(ModelPresets.VisionLanguage7B) with { StoredType = null }, Resolve("""{"img_size":490}""", []));
        ModelConfig withoutSize = Resolve("""{"num_attention_heads":4,"plora":{"alpha":8},"vision_config":{"num_attention_heads":2}}""", tensors);
        Assert.Equal(tiny.Vision.StoredGrid * tiny.Vision.PatchSize, withoutSize.ImageSize);
    }

    [Fact]
    public void Prompts_of_a_checkpoint_are_its_own_or_the_published_ones()
    {
        Assert.Equal((SystemTexts.VisionLanguage, null), (Resolve(Vl7B, []).PromptStyle.System, Resolve(Vl7B, []).ArticlePrompt));
        Assert.Equal(SystemTexts.Composition, Resolve(Composition7B, []).PromptStyle.System);
        ModelConfig own = Resolve(With("""{"prompt_style": "train", "article_prompt": "Write about {title}."}"""), []);
        Assert.Equal((PromptStyle.Train, "Write about {title}."), (own.PromptStyle, own.ArticlePrompt));
        CheckpointException style = Assert.Throws<CheckpointException>(() => Resolve(With("""{"prompt_style": "Train"}"""), []));
        Assert.Equal(("xcomposer2_native.prompt_style", "chat, train, eval, gradio"), (style.Field, style.Expected));
        CheckpointException article = Assert.Throws<CheckpointException>(() => Resolve(With("""{"article_prompt": "Write."}"""), []));
        Assert.Equal("xcomposer2_native.article_prompt", article.Field);

        static string With(string section) => Vl7B.TrimEnd()[..^1] + ", \"xcomposer2_native\": " + section + "}";
    }

    [Theory]
    [InlineData("\"num_hidden_layers\":2", "\"num_hidden_layers\":3", "num_hidden_layers", "2", "found 3")]
    [InlineData("\"num_hidden_layers\":2", "\"num_hidden_layers\":1048576", "num_hidden_layers", "1 to 1024", "1048576")]
    [InlineData("\"hidden_size\":16", "\"hidden_size\":32", "hidden_size", "model.tok_embeddings.weight [24, 16]", "found 32")]
    [InlineData("\"vocab_size\":24", "\"vocab_size\":25", "vocab_size", "[24, 16]", "found 25")]
    [InlineData("\"intermediate_size\":24", "\"intermediate_size\":32", "intermediate_size", "feed_forward.w1", "found 32")]
    [InlineData("\"num_attention_heads\":4", "\"num_attention_heads\":3", "num_attention_heads", "divides hidden_size 16", "found 3")]
    [InlineData("\"num_attention_heads\":4", "\"num_attention_heads\":16", "num_attention_heads", "even size", "found 16")]
    [InlineData("\"num_attention_heads\":4", "\"num_attention_heads\":1", "num_attention_heads", "wqkv", "1 heads of 16")]
    [InlineData("\"num_key_value_heads\":2", "\"num_key_value_heads\":4", "num_key_value_heads", "wqkv", "found 4")]
    [InlineData("\"rank\":4", "\"rank\":8", "plora.rank", "Plora_A", "found 8")]
    [InlineData("\"hidden_size\":8", "\"hidden_size\":16", "vision_config.hidden_size", "class_embedding [8]", "found 16")]
    [InlineData("\"num_hidden_layers\":1", "\"num_hidden_layers\":24", "vision_config.num_hidden_layers", "encoder.layers", "found 24")]
    [InlineData("\"num_attention_heads\":2", "\"num_attention_heads\":3", "vision_config.num_attention_heads", "width 8", "found 3")]
    [InlineData("\"img_size\":8", "\"img_size\":9", "img_size", "patch size 4", "found 9")]
    [InlineData("\"img_size\":8", "\"img_size\":1000000", "img_size", "2048", "1000000")]
    [InlineData("\"img_size\":8", "\"img_size\":2048", "img_size", "at most 128 patches of 4", "2048")]
    [InlineData("\"img_size\":8", "\"img_size\":\"8\"", "img_size", "integer", "'\"8\"'")]
    [InlineData("\"max_length\":64", "\"max_length\":0", "max_length", "integer", "0")]
    [InlineData("\"max_length\":64", "\"eos_token_id\":24", "eos_token_id", "vocabulary", "24")]
    [InlineData("\"bias\":false", "\"bias\":true", "bias", "false", "true")]
    [InlineData("\"bias\":false", "\"bias\":1", "bias", "true or false", "'1'")]
    [InlineData("\"bias\":false", "\"tie_word_embeddings\":true", "tie_word_embeddings", "false", "true")]
    [InlineData("\"hidden_act\":\"silu\"", "\"hidden_act\":\"gelu\"", "hidden_act", "silu", "'gelu'")]
    [InlineData("\"model_type\":\"internlmxcomposer2\"", "\"model_type\":\"llama\"", "model_type", "internlmxcomposer2", "'llama'")]
    [InlineData("\"rms_norm_eps\":1e-5", "\"rms_norm_eps\":-1", "rms_norm_eps", "0 to 1", "-1")]
    [InlineData("\"rope_theta\":1000000", "\"rope_theta\":1e999", "rope_theta", "number", "1e999")]
    [InlineData("\"plora\":{", "\"plora\":7,\"x\":{", "plora", "JSON object", "Number")]
    [InlineData("\"bias\":false", "\"rope_scaling\":{\"type\":\"yarn\",\"factor\":4}", "rope_scaling.type", "dynamic", "'yarn'")]
    [InlineData("\"bias\":false", "\"rope_scaling\":{\"rope_type\":\"linear\",\"factor\":4}", "rope_scaling.rope_type", "dynamic", "'linear'")]
    [InlineData("\"bias\":false", "\"rope_scaling\":{\"type\":\"linear\"}", "rope_scaling.type", "dynamic", "'linear'")]
    [InlineData("\"bias\":false", "\"rope_parameters\":{\"rope_type\":\"llama3\",\"factor\":8}", "rope_parameters.rope_type", "dynamic", "'llama3'")]
    [InlineData("\"max_length\":64", "\"eos_token_id\":[2,24]", "eos_token_id", "vocabulary", "24")]
    [InlineData("\"max_length\":64", "\"eos_token_id\":[2,\"x\"]", "eos_token_id", "integers", "x")]
    [InlineData("\"max_length\":64", "\"eos_token_id\":-1", "eos_token_id", "integer", "-1")]
    [InlineData("\"max_length\":64", "\"pad_token_id\":-2", "pad_token_id", "integer", "-2")]
    [InlineData("\"bias\":false,", "", "configuration", "", "")]
    public void A_contradiction_names_both_sides(string text, string replacement, string field, string expected, string found)
    {
        string json = TinyCheckpoint.ConfigJson;
        Assert.Contains(text, json, StringComparison.Ordinal);
        int at = json.IndexOf(text, StringComparison.Ordinal);
        string changed = replacement.Length == 0 ? json[..^1] : json[..at] + replacement + json[(at + text.Length)..];
        List<CheckpointTensor> tensors = Facts(ModelTensors.Expected(Resolve(json, [])));
        TinyCheckpoint.Refused(() => Resolve(changed, tensors), "config.json", field, expected, found);
    }

    [Fact]
    public void Ends_may_be_a_list_and_padding_may_be_absent()
    {
        string json = TinyCheckpoint.ConfigJson.Replace("\"bias\":false", "\"eos_token_id\":[2,7],\"pad_token_id\":-1,\"rope_scaling\":{\"rope_type\":\"dynamic\",\"factor\":2}", StringComparison.Ordinal);
        ModelConfig config = Resolve(json, []);
        Assert.Equal([2, 7], config.EosTokenIds);
        Assert.Equal(2, config.PadTokenId);
        Assert.Equal([2], Resolve(TinyCheckpoint.ConfigJson, []).EosTokenIds);
        Assert.Equal(5e5f, Resolve(TinyCheckpoint.ConfigJson.Replace("\"rope_theta\":1000000", "\"rope_parameters\":{\"rope_theta\":500000,\"rope_type\":\"default\"}", StringComparison.Ordinal), []).Decoder.RopeTheta);
    }

    [Fact]
    public void A_gap_between_layers_is_named()
    {
        ModelConfig tiny = Resolve(TinyCheckpoint.ConfigJson, []);
        List<CheckpointTensor> tensors = Facts(ModelTensors.Expected(tiny));
        tensors.RemoveAll(tensor => tensor.Name.StartsWith("model.layers.0.", StringComparison.Ordinal));
        TinyCheckpoint.Refused(() => Resolve(TinyCheckpoint.ConfigJson, tensors), "layer 0", "layer 1");
    }

    [Fact]
    public void Layers_beyond_all_reason_are_refused_before_anything_is_made_of_them()
    {
        List<CheckpointTensor> tensors = [.. Enumerable.Range(0, 1025).Select(i => new CheckpointTensor($"model.layers.{i}.x", "F32", DType.F32, new Shape(1), 4, "f"))];
        TinyCheckpoint.Refused(() => Resolve("{}", tensors), "num_hidden_layers", "1 to 1024", "1025");
    }

    [Fact]
    public void A_table_that_is_no_square_is_named()
    {
        List<CheckpointTensor> tensors = [new(ModelTensors.PositionTableName, "F32", DType.F32, new Shape(7, 8), 224, "f")];
        TinyCheckpoint.Refused(() => Resolve(TinyCheckpoint.ConfigJson, tensors), "position_embedding", "[7, 8]");
    }

    [Fact]
    public void Ranks_without_alpha_follow_the_published_rule()
    {
        ModelConfig tiny = Resolve(TinyCheckpoint.ConfigJson, []);
        ModelConfig mixed = tiny with { Decoder = tiny.Decoder with { Plora = DecoderPlora.Uniform(4, 1f) with { Wqkv = new PloraConfig(8, 2f) } } };
        string json = TinyCheckpoint.ConfigJson.Replace("\"rank\":4,\"alpha\":8", "", StringComparison.Ordinal);
        Assert.Equal(mixed, Resolve(json, Facts(ModelTensors.Expected(mixed))));
    }

    [Fact]
    public void Layers_of_a_preset_can_be_fewer()
    {
        ModelConfig config = ModelPresets.Find(ModelPresets.VisionLanguage1B8).WithLayers(3);
        Assert.Equal(804 - (21 * 17), ModelTensors.Expected(config).Count);
        Assert.Throws<ArgumentOutOfRangeException>(() => config.WithLayers(0));
        Assert.Throws<ArgumentException>(() => ModelPresets.Find("gpt"));
    }

    private static ModelConfig Resolve(string json, IReadOnlyList<CheckpointTensor> tensors) => ModelConfigReader.Resolve("config.json", Encoding.UTF8.GetBytes(json), tensors);

    private static List<CheckpointTensor> Facts(IReadOnlyList<ExpectedTensor> tensors) =>
        [.. tensors.Select(tensor => new CheckpointTensor(tensor.Name, "F32", DType.F32, tensor.Shape, tensor.Shape.ElementCount * 4, "file"))];

    [Fact]
    public void Invalid_UTF8_in_a_value_is_shown_and_rejected() => TinyCheckpoint.Refused(
        () => ModelConfigReader.Resolve("config.json", [.. "{\"rms_norm_eps\":\"a"u8, 0xDC, .. "\"}"u8], []), "rms_norm_eps: expected a number", "found '\"a\uFFFD\"'");
}
