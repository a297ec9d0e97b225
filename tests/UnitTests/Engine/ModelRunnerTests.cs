using XComposer2.Native.Runtime;
using Xunit;

namespace XComposer2.Native.UnitTests;

public sealed class ModelRunnerTests
{
    // Kernels for few and for many rows sum in different orders; fp32 sums of some hundred products over three layers.
    private const double PieceTolerance = 2e-5;

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(64)]
    [InlineData(65)]
    public void Prefill_in_pieces_gives_the_logits_of_one_piece(int piece)
    {
        using var whole = new DemoModel();
        using var pieces = new DemoModel(prefillStepTokens: piece);
        PromptPosition[] prompt = DemoModel.Prompt(30, whole.Encode("001-0.png"), 90);
        using var wholeSequence = new KeyValueSequence(whole.Runner.Pool);
        using var piecesSequence = new KeyValueSequence(pieces.Runner.Pool);
        double[] expected = Doubles(whole.Prefill(wholeSequence, prompt));
        Accuracy.Close(expected, pieces.Prefill(piecesSequence, prompt), PieceTolerance, $"pieces of {piece}");
        Assert.Equal(prompt.Length, piecesSequence.Length);
    }

    [Fact]
    public void Decoding_token_by_token_gives_the_logits_of_prefill()
    {
        using var model = new DemoModel();
        PromptPosition[] prompt = DemoModel.Prompt(20, model.Encode("001-0.png"), 80);
        using var prefilled = new KeyValueSequence(model.Runner.Pool);
        double[] expected = Doubles(model.Prefill(prefilled, prompt));

        // Over a page border, and after the picture: generated tokens have no Partial LoRA.
        using var decoded = new KeyValueSequence(model.Runner.Pool);
        model.Prefill(decoded, prompt.AsSpan(0, 60));
        Span<float> logits = [];
        foreach (PromptPosition position in prompt[60..])
            logits = model.Decode(decoded, position.Id);
        Accuracy.Close(expected, logits, PieceTolerance, "decode");
    }

    [Fact]
    public void Forks_go_on_independently()
    {
        using var model = new DemoModel();
        PromptPosition[] prompt = DemoModel.Prompt(70, null, 0);
        using var first = new KeyValueSequence(model.Runner.Pool);
        model.Prefill(first, prompt);
        using KeyValueSequence second = first.Fork();
        double[] alone = Doubles(model.Decode(first, 321));
        model.Decode(second, 999);
        first.Truncate(70);
        Accuracy.Same(Floats(alone), model.Decode(first, 321), "after the fork wrote");
    }

    [Fact]
    public void The_same_steps_give_the_same_bits_on_any_number_of_threads()
    {
        using var one = new DemoModel(threads: 1);
        using var three = new DemoModel(threads: 3);
        PromptPosition[] prompt = DemoModel.Prompt(11, one.Encode("001-0.png"), 33);
        using var oneSequence = new KeyValueSequence(one.Runner.Pool);
        using var threeSequence = new KeyValueSequence(three.Runner.Pool);
        Accuracy.Same(one.Prefill(oneSequence, prompt), three.Prefill(threeSequence, prompt), "prefill");
        Accuracy.Same(one.Decode(oneSequence, 77), three.Decode(threeSequence, 77), "decode");
    }

    [Fact]
    public void Cancellation_leaves_a_sequence_that_goes_on()
    {
        using var model = new DemoModel(prefillStepTokens: 16);
        PromptPosition[] prompt = DemoModel.Prompt(50, null, 0);
        using var sequence = new KeyValueSequence(model.Runner.Pool);
        using var cancelled = new CancellationTokenSource();
        cancelled.Cancel();
        Assert.Throws<OperationCanceledException>(() => { model.Runner.Prefill(sequence, prompt, cancelled.Token); });
        Assert.Equal(0, sequence.Length);
        double[] after = Doubles(model.Prefill(sequence, prompt));
        using var fresh = new KeyValueSequence(model.Runner.Pool);
        Accuracy.Same(Floats(after), model.Prefill(fresh, prompt), "after a cancelled prefill");
    }

    private static double[] Doubles(ReadOnlySpan<float> values)
    {
        var doubles = new double[values.Length];
        for (int i = 0; i < doubles.Length; i++)
            doubles[i] = values[i];
        return doubles;
    }

    private static float[] Floats(double[] values) => Array.ConvertAll(values, value => (float)value);
}
