using XComposer2.Native.Graph;
using XComposer2.Native.Model;
using Xunit;

namespace XComposer2.Native.UnitTests;

/// <summary>Rounding that looks at the inputs: the factor of their moments, feedback of errors (gptq), and scaled columns (awq).</summary>
public sealed unsafe class CalibratedQuantizationTests
{
    private const int Hidden = 256, Intermediate = 384, Samples = 320;

    private static readonly WeightFormat int4 = WeightFormat.Grouped(4, 128);

    private readonly ITestOutputHelper output = TestContext.Current.TestOutputHelper!;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <summary>Sizes at, below and beyond a block of 128 and a tile of 6 x 16.</summary>
    [Theory]
    [InlineData(1, false)]
    [InlineData(37, true)]
    [InlineData(128, false)]
    [InlineData(301, true)]
    public void Moments_are_the_product_of_their_factors(int columns, bool isOrdered)
    {
        using InputRows inputs = Inputs(400, columns, 1);
        using InputFactor factor = InputFactor.Of(inputs, isOrdered, Cancellation);
        var moments = new double[columns, columns];
        double mean = 0;
        for (int i = 0; i < columns; i++)
            for (int k = 0; k < columns; k++)
            {
                for (int row = 0; row < inputs.Rows; row++)
                    moments[i, k] += (double)inputs.Row(row)[InputOf(i)] * inputs.Row(row)[InputOf(k)];
                mean += i == k ? moments[i, i] / columns : 0;
            }

        for (int i = 0; i < columns; i++)
            for (int k = i; k < columns; k++)
            {
                double sum = 0;
                for (int c = k; c < columns; c++)
                    sum += Entry(i, c) * Entry(k, c);
                Assert.Equal(moments[i, k] + (i == k ? 0.01 * mean : 0), sum, 2e-4 * Math.Sqrt((moments[i, i] + mean) * (moments[k, k] + mean)));
            }

        if (isOrdered)
            Assert.Equal(Enumerable.Range(0, columns - 1).Select(_ => true), Enumerable.Range(0, columns - 1).Select(i => moments[i, i] >= moments[i + 1, i + 1] * 0.9999));
        else
            Assert.Null(factor.Order);

        int InputOf(int place) => factor.Order is { } order ? order[place] : place;

        double Entry(int row, int column) => row == column ? factor.Row(row)[row] : (double)factor.Row(row)[column] * factor.Row(column)[column];
    }

    /// <summary>Some inputs are twenty times the others, as in published models, and inputs go together. Errors of the results, not of the weights, are what counts.</summary>
    [Theory]
    [InlineData(4, 128, false)]
    [InlineData(4, 32, false)]
    [InlineData(4, 64, true)]
    [InlineData(8, 0, false)]
    public void Feedback_loses_clearly_less_than_rounding_on_weights_with_outlier_channels(int bits, int group, bool isOrdered)
    {
        WeightFormat plain = group == 0 ? WeightFormat.Int8 : WeightFormat.Grouped(bits, group), format = isOrdered ? WeightFormat.Grouped(bits, group, hasGroupIndex: true) : plain;
        using InputRows inputs = Inputs(Samples, Hidden, 2);
        using NativeFloats weights = NativeFloats.Random(96 * Hidden, 3, 0.02);
        HostTensor matrix = new(weights.Data, DType.F32, new Shape(96, Hidden));
        using InputFactor factor = InputFactor.Of(inputs, isOrdered, Cancellation);
        using FeedbackIntegers integers = FeedbackIntegers.Quantize(matrix, format, factor, "w", Cancellation), again = FeedbackIntegers.Quantize(matrix, format, factor, "w", Cancellation);
        double rounding = OutputError.OfRounding(matrix, plain, inputs), feedback = OutputError.Of(matrix, format, integers, inputs);
        output.WriteLine($"{format}: rounding {rounding:g3}, feedback {feedback:g3}");
        Assert.InRange(feedback, rounding * 0.02, rounding * 0.6);
        foreach (WeightPartSpec part in format.Parts(matrix.Shape))
            Assert.True(Bytes(integers[part.Part]).SequenceEqual(Bytes(again[part.Part])));
    }

    /// <summary>Without anything to make up for, it is rounding.</summary>
    [Fact]
    public void Feedback_of_independent_inputs_is_rounding_to_nearest()
    {
        using var inputs = new InputRows(Hidden, Hidden);
        for (int i = 0; i < Hidden; i++)
            inputs.Set(i, [.. Enumerable.Range(0, Hidden).Select(column => column == i ? 1f : 0)], 1);
        using NativeFloats weights = NativeFloats.Random(8 * Hidden, 3, 0.02);
        HostTensor matrix = new(weights.Data, DType.F32, new Shape(8, Hidden));
        using InputFactor factor = InputFactor.Of(inputs, false, Cancellation);
        using FeedbackIntegers found = FeedbackIntegers.Quantize(matrix, int4, factor, "w", Cancellation);
        using GroupedIntegers wanted = GroupedIntegers.Quantize(matrix, int4, "w", Cancellation);
        foreach (WeightPartSpec part in int4.Parts(matrix.Shape))
            Assert.True(Bytes(wanted[part.Part]).SequenceEqual(Bytes(found[part.Part])), $"{part.Part}");
    }

    /// <summary>What a layer computes stays the same to the bit: each product of a changed weight and its input has two exponents that cancel.</summary>
    [Fact]
    public void Scaled_columns_lose_clearly_less_than_rounding_and_change_nothing_else()
    {
        var config = new DecoderConfig { VocabularySize = 8, HiddenSize = Hidden, IntermediateSize = Intermediate, LayerCount = 1, Attention = new AttentionGeometry(4, 2, 64), Plora = DecoderPlora.Uniform(16, 1f) };
        using LayerInputs inputs = new(config, Samples);
        Fill(inputs[LinearInput.Attention], 2);
        Fill(inputs[LinearInput.FeedForward], 4);
        Fill(inputs[LinearInput.Gated], 5);
        using Layer layer = new();
        using LayerScaling scaling = LayerScaling.Choose("model.layers.0.", layer.Get, name => LayerInputs.InputOf(name) is null ? null : int4, inputs, Cancellation);
        foreach ((string name, LinearInput input) in new[] { ("attention.wqkv", LinearInput.Attention), ("feed_forward.w1", LinearInput.FeedForward), ("feed_forward.w2", LinearInput.Gated) })
        {
            string full = $"model.layers.0.{name}.weight";
            Assert.True(scaling.TryGet(full, out HostTensor scaled));
            float[] scales = scaling.ColumnScalesOf(full)!;
            Assert.All(scales, scale => Assert.Equal(0u, BitConverter.SingleToUInt32Bits(scale) & 0x7FFFFF));
            using GroupedIntegers integers = GroupedIntegers.Quantize(scaled, int4, full, OutputError.SharesOf(inputs[input], scales), Cancellation);
            double rounding = OutputError.OfRounding(layer.Get(full)!.Value, int4, inputs[input]), found = OutputError.Of(scaled, int4, integers, inputs[input], scales);
            output.WriteLine($"{name}: rounding {rounding:g3}, scaled {found:g3}");
            Assert.InRange(found, 0, rounding * 0.7);
        }

        float[] wide = scaling.ColumnScalesOf("model.layers.0.feed_forward.w3.weight")!, gated = scaling.ColumnScalesOf("model.layers.0.feed_forward.w2.weight")!;
        Same("attention_norm.weight", (row, _) => 1 / scaling.ColumnScalesOf("model.layers.0.attention.wqkv.weight")![row]);
        Same("ffn_norm.weight", (row, _) => 1 / wide[row]);
        Same("feed_forward.w1.Plora_A.weight", (_, column) => wide[column]);
        Same("feed_forward.w3.weight", (row, column) => wide[column] / gated[row]);
        Same("feed_forward.w3.Plora_B.weight", (row, _) => 1 / gated[row]);
        Same("feed_forward.w2.Plora_A.weight", (_, column) => gated[column]);
        Assert.False(scaling.TryGet("model.layers.0.attention.wo.weight", out _) || scaling.TryGet("model.layers.0.feed_forward.w1.Plora_B.weight", out _));

        void Same(string name, Func<int, int, float> scale)
        {
            HostTensor stored = layer.Get("model.layers.0." + name)!.Value;
            Assert.True(scaling.TryGet("model.layers.0." + name, out HostTensor changed), name);
            float[] before = HostTensorValues.ToFloats(stored), after = HostTensorValues.ToFloats(changed);
            int columns = before.Length / stored.Shape[0];
            Assert.Equal(before.Select((value, index) => value * scale(index / columns, index % columns)), after);
        }
    }

    private static InputRows Inputs(int rows, int columns, int seed)
    {
        var inputs = new InputRows(rows, columns);
        Fill(inputs, seed);
        return inputs;
    }

    // A few hidden causes, noise, and a channel in thirty-two twenty times as large.
    private static void Fill(InputRows inputs, int seed)
    {
        const int Causes = 24;
        using NativeFloats mixing = NativeFloats.Random(Causes * inputs.Columns, seed), causes = NativeFloats.Random(inputs.Rows * Causes, seed + 100), noise = NativeFloats.Random(inputs.Rows * inputs.Columns, seed + 200, 0.5);
        for (int row = 0; row < inputs.Rows; row++)
        {
            float[] values = new float[inputs.Columns];
            for (int column = 0; column < values.Length; column++)
            {
                for (int cause = 0; cause < Causes; cause++)
                    values[column] += (float)(causes[(row * Causes) + cause] * mixing[(cause * inputs.Columns) + column] / Math.Sqrt(Causes));
                values[column] = (values[column] + (float)noise[(row * inputs.Columns) + column]) * (column % 32 == 5 ? 20 : 1);
            }

            inputs.Set(row, values, 0.5f);
        }
    }

    private static ReadOnlySpan<byte> Bytes(HostTensor tensor) => new((void*)tensor.Data, checked((int)tensor.Bytes));

    /// <summary>The weights of a layer in BF16.</summary>
    private sealed class Layer : IDisposable
    {
        private readonly Dictionary<string, (NativeFloats Values, Shape Shape)> weights = [];

        public Layer()
        {
            Add("attention_norm", Hidden);
            Add("ffn_norm", Hidden);
            foreach ((string name, int outputs, int inputs) in new[] { ("attention.wqkv", 512, Hidden), ("attention.wo", Hidden, Hidden), ("feed_forward.w1", Intermediate, Hidden), ("feed_forward.w3", Intermediate, Hidden), ("feed_forward.w2", Hidden, Intermediate) })
            {
                Add(name, outputs, inputs);
                Add(name + ".Plora_A", 16, inputs);
                Add(name + ".Plora_B", outputs, 16);
            }
        }

        public HostTensor? Get(string name) => weights.TryGetValue(name, out (NativeFloats Values, Shape Shape) found) ? new HostTensor(found.Values.Data, DType.BF16, found.Shape) : null;

        public void Dispose()
        {
            foreach ((NativeFloats values, _) in weights.Values)
                values.Dispose();
        }

        private void Add(string name, params int[] sizes) =>
            weights.Add($"model.layers.0.{name}.weight", (NativeFloats.Random(sizes.Aggregate((x, y) => x * y), weights.Count, 0.02, DType.BF16), new Shape(sizes)));
    }
}
