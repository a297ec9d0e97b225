using System.Text;
using XComposer2.Native.Graph;
using XComposer2.Native.Model;
using Xunit;

namespace XComposer2.Native.UnitTests;

/// <summary>Linears as bitsandbytes saves them: 4 bits with a state of their own, 8 bits with row scales.</summary>
public sealed class BitsAndBytesCheckpointTests : IDisposable
{
    private const string Name = "model.layers.0.attention.wo.weight", State = Name + ".quant_state.bitsandbytes__nf4";

    // The sixteen numbers of nf4.
    private static readonly float[] map =
    [
        -1f, -0.6961928009986877f, -0.5250730514526367f, -0.39491748809814453f, -0.28444138169288635f, -0.18477343022823334f, -0.09105003625154495f, 0f,
        0.07958029955625534f, 0.16093020141124725f, 0.24611230194568634f, 0.33791524171829224f, 0.44070982933044434f, 0.5626170039176941f, 0.7229568362236023f, 1f,
    ];

    private readonly TinyCheckpoint tiny = new();
    private readonly Dictionary<string, TinyTensor> tensors = TinyCheckpoint.Tensors();

    public BitsAndBytesCheckpointTests()
    {
        // [16, 16] in blocks of 64.
        tensors[Name] = new TinyTensor("U8", new Shape(128, 1), [.. Enumerable.Range(0, 128).Select(i => (byte)(i * 37))]);
        tensors[Name + ".absmax"] = TinyTensor.F32(new Shape(4), i => 0.5f + i);
        tensors[Name + ".quant_map"] = TinyTensor.F32(new Shape(16), i => map[i]);
        SetState("""{"quant_type":"nf4","blocksize":64,"dtype":"bfloat16","shape":[16,16]}""");
    }

    public void Dispose() => tiny.Dispose();

    [Fact]
    public void Numbers_of_the_map_are_multiplied_with_the_magnitude_of_their_block()
    {
        using Checkpoint checkpoint = Open();
        CheckpointValidator.Validate(checkpoint);
        Assert.Equal((DType.BF16, new Shape(16, 16)), Facts(checkpoint));
        Assert.Equal(Expected(block => 0.5f + block), Values(checkpoint));
        Assert.Equal("nf4 of bitsandbytes", checkpoint.Weights);
        Assert.StartsWith("bitsandbytes nf4, dequantised to BF16: ", checkpoint.Layout, StringComparison.Ordinal);
        Assert.Contains("converted to BF16 while loading", checkpoint.Notice, StringComparison.Ordinal);
        Assert.Equal(512, checkpoint.AllocatedBytes(Name));
        Assert.Equal(512, checkpoint.HeldBytes);
        checkpoint.Release(Name);
        Assert.Equal(0, checkpoint.HeldBytes);
        Assert.Equal(Expected(block => 0.5f + block), Values(checkpoint));
    }

    /// <summary>Magnitudes may be 8-bit numbers of a map, with a magnitude of their own.</summary>
    [Fact]
    public void Nested_magnitudes_are_looked_up_first()
    {
        Nest();
        using Checkpoint checkpoint = Open();
        CheckpointValidator.Validate(checkpoint);
        CheckpointValidator.ValidateAllValues(checkpoint, null, TestContext.Current.CancellationToken);
        byte[] places = [3, 255, 0, 128];
        Assert.Equal(Expected(block => ((places[block] / 255f) * (2f + (block / 2))) + 0.25f), Values(checkpoint));
    }

    [Fact]
    public void Integers_of_8_bits_are_served_with_their_row_scales()
    {
        foreach (string name in tensors.Keys.Where(name => name.StartsWith(Name, StringComparison.Ordinal)).ToArray())
            tensors.Remove(name);
        tensors[Name] = new TinyTensor("I8", new Shape(16, 16), [.. Enumerable.Range(0, 256).Select(i => (byte)(i - 127))]);
        tensors["model.layers.0.attention.wo.SCB"] = TinyTensor.F32(new Shape(16), i => i + 1);
        tensors["model.layers.0.attention.wo.weight_format"] = new TinyTensor("U8", new Shape(1), [0]);
        using Checkpoint checkpoint = Open();
        CheckpointValidator.Validate(checkpoint);
        Assert.True(checkpoint.TryGetFormat(Name, out WeightFormat format) && format == WeightFormat.Int8);
        Assert.True(checkpoint.TryGet(Name, out HostTensor elements) & checkpoint.TryGet(Name + ".scale", out HostTensor scales));
        Assert.Equal((DType.I8, new Shape(16, 16), new Shape(16)), (elements.Type, elements.Shape, scales.Shape));
        Assert.Equal(Enumerable.Range(1, 16).Select(row => row / 127f), HostTensorValues.ToFloats(scales));
        Assert.Null(checkpoint.Notice);
        WeightFacts facts = WeightFacts.Of(checkpoint, checkpoint.Config);
        Assert.Equal((16L * 16) + (16 * 4), facts.QuantizedBytes);
    }

    /// <summary>The whole model, once with its linears as bitsandbytes stores 8 bits, once quantised while loading: the same integers, the same answer. And in nf4, which the notice tells.</summary>
    [Fact]
    public async Task The_demo_answers_with_its_linears_in_either_form()
    {
        string demo = TestPaths.Repository("tools/demo/checkpoint");
        foreach (string name in new[] { "config.json", "tokenizer.model" })
            File.Copy(Path.Combine(demo, name), tiny.PathOf(name), overwrite: true);
        List<string> notices = [];
        tiny.WriteSafetensors("model.safetensors", Converted(demo, EightBits));
        string wanted = await AnswerAsync(demo, WeightQuantization.Int8), found = await AnswerAsync(tiny.Folder, WeightQuantization.None);
        Assert.Equal(wanted, found);
        Assert.Empty(notices);
        tiny.WriteSafetensors("model.safetensors", Converted(demo, FourBits));
        Assert.Equal(await AnswerAsync(demo, WeightQuantization.None), await AnswerAsync(tiny.Folder, WeightQuantization.None));
        Assert.Contains("converted to BF16 while loading", Assert.Single(notices), StringComparison.Ordinal);

        async Task<string> AnswerAsync(string folder, WeightQuantization quantization)
        {
            await using XComposerEngine engine = await XComposerEngine.LoadAsync(
                new EngineOptions { ModelPath = folder, Quantization = quantization, Device = new DeviceOptions { Kind = DeviceKind.Cpu, Threads = 2 }, Notice = notices.Add }, TestContext.Current.CancellationToken);
            using ChatSession session = engine.CreateSession();
            GenerationResult result = await session.AskAsync(
                new UserMessage("Describe this image.", [ImageInput.FromFile(TestPaths.Repository("tools/demo/pictures/shapes-3.png"))]), new GenerationOptions { Greedy = true, MaxTokens = 60 });
            return result.Text;
        }
    }

    [Fact]
    public void What_does_not_go_with_the_weight_is_refused_by_name()
    {
        Refused("no such tensor", Name + ".absmax", () => tensors.Remove(Name + ".absmax"));
        Refused("no such tensor", Name + ".quant_map", () => tensors.Remove(Name + ".quant_map"));
        Refused("expected 128 of U8", Name, () => tensors[Name] = new TinyTensor("U8", new Shape(127, 1), new byte[127]));
        Refused("expected 4 of F32", Name + ".absmax", () => tensors[Name + ".absmax"] = TinyTensor.F32(new Shape(5), _ => 1));
        Refused("expected 16 of F32", Name + ".quant_map", () => tensors[Name + ".quant_map"] = TinyTensor.F32(new Shape(15), _ => 1));
        Refused("blocksize", State, () => SetState("""{"dtype":"bfloat16","shape":[16,16]}"""));
        Refused("blocksize", State, () => SetState("""{"blocksize":0,"dtype":"bfloat16","shape":[16,16]}"""));
        Refused("shape", State, () => SetState("""{"blocksize":64,"dtype":"bfloat16","shape":[16,16,16]}"""));
        Refused("shape", State, () => SetState("""{"blocksize":64,"dtype":"bfloat16","shape":[3,5]}"""));
        Refused("expected 140737488355328 of U8", Name, () => SetState("""{"blocksize":64,"dtype":"bfloat16","shape":[16777216,16777216]}"""));
        Refused("dtype", State, () => SetState("""{"blocksize":64,"dtype":"float64","shape":[16,16]}"""));
        Refused("well-formed JSON", "configuration", () => SetState("{{"));
        Refused("a JSON object", "Array", () => SetState("[]"));
        Refused("at most 65536 bytes", State, () => SetState("{}" + new string(' ', 70000)));
        Refused("nf4 or fp4 of bitsandbytes", "'nf2'", () => (tensors[Name + ".quant_state.bitsandbytes__nf2"], _) = (tensors[State], tensors.Remove(State)));
        Refused("nested_blocksize", State, () =>
        {
            Nest();
            SetState("""{"blocksize":64,"dtype":"bfloat16","shape":[16,16],"nested_offset":0.25}""");
        });
        Refused("expected 2 of F32", Name + ".nested_absmax", () =>
        {
            Nest();
            tensors[Name + ".nested_absmax"] = TinyTensor.F32(new Shape(3), _ => 1);
        });
        Refused("of I8 beside it", "wo.SCB", () => tensors["model.layers.0.attention.wo.SCB"] = TinyTensor.F32(new Shape(16), i => i + 1));
        Refused("no such tensor", "wx.SCB", () => tensors["model.layers.0.attention.wx.SCB"] = TinyTensor.F32(new Shape(16), i => i + 1));

        void Refused(string words, string place, Action change)
        {
            Dictionary<string, TinyTensor> whole = new(tensors);
            change();
            TinyCheckpoint.Refused(() => Open().Dispose(), words, place);
            tensors.Clear();
            foreach ((string name, TinyTensor tensor) in whole)
                tensors.Add(name, tensor);
        }
    }

    [Fact]
    public void A_configuration_of_bitsandbytes_is_accepted()
    {
        tiny.WriteText("config.json", TinyCheckpoint.ConfigJson.Replace("\"bias\":false", "\"bias\":false,\"quantization_config\":{\"load_in_4bit\":true,\"bnb_4bit_quant_type\":\"nf4\"}", StringComparison.Ordinal));
        using Checkpoint checkpoint = Open();
        Assert.Equal(Expected(block => 0.5f + block), Values(checkpoint));
    }

    private static Dictionary<string, TinyTensor> Converted(string folder, Action<Dictionary<string, TinyTensor>, string, HostTensor> convert)
    {
        using Checkpoint checkpoint = CheckpointFolder.Open(folder);
        Dictionary<string, TinyTensor> result = [];
        foreach (CheckpointTensor facts in checkpoint.Tensors)
        {
            Assert.True(checkpoint.TryGet(facts.Name, out HostTensor tensor));
            if (LayerInputs.InputOf(facts.Name) is null)
                result.Add(facts.Name, new TinyTensor(facts.TypeName, facts.Shape, Bytes(tensor)));
            else
                convert(result, facts.Name, tensor);
        }

        return result;
    }

    private static void EightBits(Dictionary<string, TinyTensor> result, string name, HostTensor tensor)
    {
        using Int8Rows rows = Int8Rows.Quantize(tensor, name);
        float[] scales = HostTensorValues.ToFloats(rows.Scales);
        result.Add(name, new TinyTensor("I8", tensor.Shape, Bytes(rows.Values)));
        result.Add(name[..^"weight".Length] + "SCB", TinyTensor.F32(new Shape(scales.Length), row => scales[row] * 127));
    }

    private static void FourBits(Dictionary<string, TinyTensor> result, string name, HostTensor tensor)
    {
        float[] values = HostTensorValues.ToFloats(tensor);
        float[] magnitudes = [.. values.Chunk(32).Select(block => block.Max(Math.Abs))];
        int[] places = [.. values.Select((value, index) => Nearest(value / magnitudes[index / 32]))];
        byte[] state = Encoding.UTF8.GetBytes($$"""{"quant_type":"nf4","blocksize":32,"dtype":"bfloat16","shape":[{{tensor.Shape[0]}},{{tensor.Shape[1]}}]}""");
        result.Add(name, new TinyTensor("U8", new Shape(values.Length / 2, 1), [.. Enumerable.Range(0, values.Length / 2).Select(i => (byte)((places[2 * i] << 4) | places[(2 * i) + 1]))]));
        result.Add(name + ".absmax", TinyTensor.F32(new Shape(magnitudes.Length), i => magnitudes[i]));
        result.Add(name + ".quant_map", TinyTensor.F32(new Shape(16), i => map[i]));
        result.Add(name + ".quant_state.bitsandbytes__nf4", new TinyTensor("U8", new Shape(state.Length), state));

        static int Nearest(float value)
        {
            int best = 0;
            for (int i = 1; i < map.Length; i++)
                best = Math.Abs(map[i] - value) < Math.Abs(map[best] - value) ? i : best;
            return best;
        }
    }

    private static unsafe byte[] Bytes(HostTensor tensor) => new ReadOnlySpan<byte>((void*)tensor.Data, (int)tensor.Bytes).ToArray();

    private static (DType, Shape) Facts(Checkpoint checkpoint) => checkpoint.TryDescribe(Name, out HostTensor facts) ? (facts.Type, facts.Shape) : default;

    private static float[] Values(Checkpoint checkpoint)
    {
        Assert.True(checkpoint.TryGet(Name, out HostTensor tensor));
        return HostTensorValues.ToFloats(tensor);
    }

    // Rounded to BF16 once.
    private float[] Expected(Func<int, float> magnitude)
    {
        byte[] packed = tensors[Name].Data;
        return [.. Enumerable.Range(0, 256).Select(i => Round(map[i % 2 == 0 ? packed[i / 2] >> 4 : packed[i / 2] & 15] * magnitude(i / 64)))];

        static float Round(float value)
        {
            uint bits = BitConverter.SingleToUInt32Bits(value);
            return BitConverter.UInt32BitsToSingle((bits + 0x7FFF + ((bits >> 16) & 1)) & 0xFFFF0000);
        }
    }

    private void Nest()
    {
        tensors[Name + ".absmax"] = new TinyTensor("U8", new Shape(4), [3, 255, 0, 128]);
        tensors[Name + ".nested_absmax"] = TinyTensor.F32(new Shape(2), i => 2 + i);
        tensors[Name + ".nested_quant_map"] = TinyTensor.F32(new Shape(256), i => i / 255f);
        SetState("""{"quant_type":"nf4","blocksize":64,"dtype":"bfloat16","shape":[16,16],"nested_blocksize":2,"nested_dtype":"float32","nested_offset":0.25}""");
    }

    private void SetState(string json) => tensors[State] = new TinyTensor("U8", new Shape(Encoding.UTF8.GetByteCount(json)), Encoding.UTF8.GetBytes(json));

    private Checkpoint Open()
    {
        tiny.WriteSafetensors("model.safetensors", tensors);
        return tiny.Open();
    }
}
