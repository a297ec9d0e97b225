using XComposer2.Native.Graph;
using XComposer2.Native.Runtime;
using Xunit;

namespace XComposer2.Native.GpuTests;

/// <summary>The device's sampler against the processor's: the same answers in the same slots, side by side.</summary>
public sealed class TokenSamplerTests(GpuDevice device)
{
    private const int Vocabulary = 320, Slots = 12;

    private static readonly SamplingParameters greedy = new(true, 1, 0, 1, 1);

    /// <summary>Slots begin at different times, leave out steps, and are used again; rows come in another order each step.</summary>
    [Fact]
    public void Answers_in_slots_are_those_of_the_processor()
    {
        using SamplerRun cuda = OnDevice(), cpu = OnProcessor();
        Random random = new(5);
        for (int step = 0; step < 12; step++)
        {
            for (int slot = 0; slot < Slots; slot++)
                if (step == 0 || random.Next(5) == 0)
                {
                    SamplingRequest request = RandomRequest(random);
                    int key = random.Next(3) == 0 ? random.Next(1, 1000) : 0;
                    cuda.Sampler.Begin(slot, request with { Constraint = Chain.Of(key) });
                    cpu.Sampler.Begin(slot, request with { Constraint = Chain.Of(key) });
                }

            int[] slots = [.. Enumerable.Range(0, Slots).Where(_ => step == 0 || random.Next(4) > 0)];
            random.Shuffle(slots);
            float[][] logits = [.. slots.Select(_ => RandomLogits(random))];
            TokenChoice[] expected = cpu.Choose(logits, slots), found = cuda.Choose(logits, slots);
            for (int row = 0; row < slots.Length; row++)
                Same(expected[row], found[row], $"step {step}, slot {slots[row]}");
        }
    }

    [Fact]
    public void A_failure_is_of_its_row_alone()
    {
        float[][] logits = [RandomLogits(new Random(1)), RandomLogits(new Random(2)), RandomLogits(new Random(3)), RandomLogits(new Random(4))];
        logits[1][17] = float.NaN;
        Array.Fill(logits[2], float.NegativeInfinity);
        foreach (SamplerRun run in (SamplerRun[])[OnDevice(), OnProcessor()])
            using (run)
            {
                for (int slot = 0; slot < 4; slot++)
                    run.Sampler.Begin(slot, new SamplingRequest { Parameters = greedy, LogProbs = true, TopLogProbs = 3 });
                TokenChoice[] found = run.Choose(logits, [0, 1, 2, 3]);
                Assert.Equal([null, "the logit of id 17 is NaN", "every logit is -infinity", null], found.Select(choice => choice.Failure));
                Assert.Equal([Array.IndexOf(logits[0], logits[0].Max()), 0, 0, Array.IndexOf(logits[3], logits[3].Max())], found.Select(choice => choice.Id));
                Assert.Equal([3, 0, 0, 3], found.Select(choice => choice.Top.Length));
                Assert.Equal(found[0].LogProb, found[0].Top.Span[0].LogProb);
            }
    }

    [Fact]
    public void An_answer_goes_on_in_another_slot()
    {
        using SamplerRun run = OnDevice();
        SamplingParameters sampled = new(false, 1.5f, 0, 1, 1.7f);
        float[][] logits = [.. Enumerable.Range(0, 6).Select(step => RandomLogits(new Random(step)))];
        run.Sampler.Begin(3, new SamplingRequest { Parameters = sampled, Seed = 11 });
        int[] whole = [.. logits.Select(row => run.Choose([row], [3])[0].Id)];
        run.Sampler.Begin(5, new SamplingRequest { Parameters = sampled, Seed = 11, Step = 3, SeenIds = whole.AsMemory(0, 3) });
        Assert.Equal(whole[3..], logits[3..].Select(row => run.Choose([row], [5])[0].Id));
    }

    /// <summary>A choice is told as it was asked for, though its slot has begun another answer before the host took it.</summary>
    [Fact]
    public void Choices_under_way_stay_as_they_are_when_a_slot_begins_again()
    {
        using SamplerRun run = OnDevice();
        float[] logits = RandomLogits(new Random(9));
        run.Sampler.Begin(0, new SamplingRequest { Parameters = greedy, LogProbs = true, TopLogProbs = 2 });
        run.Queue([logits], [0]);
        run.Sampler.Begin(0, new SamplingRequest { Parameters = greedy });
        run.Queue([logits], [0]);
        TokenChoice first = run.Sampler.Take()[0];
        Assert.Equal((2, true), (first.Top.Length, first.LogProb < 0));
        TokenChoice second = run.Sampler.Take()[0];
        Assert.Equal((first.Id, 0, 0f), (second.Id, second.Top.Length, second.LogProb));
    }

    [Fact]
    public void Rows_and_slots_that_there_are_not_are_refused()
    {
        using SamplerRun run = OnDevice();
        float[] logits = RandomLogits(new Random(1));
        run.Choose([logits], [0]);
        Assert.Throws<ArgumentOutOfRangeException>("slot", () => run.Sampler.Begin(Slots, new SamplingRequest { Parameters = greedy }));
        Assert.Throws<ArgumentOutOfRangeException>("slot", () => run.Queue([logits], [-1]));
        Assert.Contains("slot 2", Assert.Throws<ArgumentException>("rows", () => run.Queue([logits, logits], [2, 2])).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentOutOfRangeException>("rows", () => run.Sampler.Choose(run.Graph, run.Logits, [new SampleRow(2, 0)]));
        Assert.Throws<ArgumentOutOfRangeException>(() => run.Sampler.Begin(0, new SamplingRequest { Parameters = greedy, TopLogProbs = 21 }));
        Assert.Equal(Array.IndexOf(logits, logits.Max()), run.Choose([logits], [0])[0].Id);
    }

    /// <summary>The next step's rows are what was chosen in any slots, in neighbouring ones and in others.</summary>
    [Fact]
    public void What_was_chosen_feeds_any_rows_of_the_next_run()
    {
        using SamplerRun run = OnDevice();
        float[][] logits = [.. Enumerable.Range(0, Slots).Select(row => Peak((row * 5) + 1))];
        run.Queue(logits, [.. Enumerable.Range(0, Slots)]);
        int[] from = [4, 5, 6, 2, 11, 0, 1, 9, 8];
        Assert.Equal(from.Select(slot => (slot * 5) + 1), run.Feed(from));
        run.Sampler.Take();
    }

    /// <summary>What is allowed depends on every token before; choices are queued before those of the steps before are taken.</summary>
    [Fact]
    public void Constraints_hear_the_choices_that_are_not_taken_yet()
    {
        using SamplerRun cuda = OnDevice(), cpu = OnProcessor();
        float[][] logits = [.. Enumerable.Range(0, 8).Select(step => RandomLogits(new Random(step)))];
        foreach (SamplerRun run in (SamplerRun[])[cuda, cpu])
            run.Sampler.Begin(2, new SamplingRequest { Parameters = greedy, Constraint = new Chain(77), LogProbs = true, TopLogProbs = 4 });
        TokenChoice[] expected = [.. logits.Select(row => cpu.Choose([row], [2])[0])];
        for (int step = 0; step < logits.Length + 2; step++)
        {
            if (step < logits.Length)
                cuda.Queue([logits[step]], [2]);
            if (step >= 2)
                Same(expected[step - 2], cuda.Sampler.Take()[0], $"step {step - 2}");
        }

        Assert.Contains(expected, choice => choice.Id != choice.Top.Span[0].Id);
    }

    /// <summary>Whether a constraint fails where it is asked or where it is told, its row alone fails, with its words.</summary>
    [Fact]
    public void A_failed_constraint_is_of_its_row_alone()
    {
        float[][] logits = [Peak(7), Peak(8), Peak(9)];
        foreach (SamplerRun run in (SamplerRun[])[OnDevice(), OnProcessor()])
            using (run)
            {
                run.Sampler.Begin(0, new SamplingRequest { Parameters = greedy, Constraint = new Failing(whenAsked: true) });
                run.Sampler.Begin(1, new SamplingRequest { Parameters = greedy, Constraint = new Failing(whenAsked: false) });
                TokenChoice[] found = run.Choose(logits, [0, 1, 2]);
                Assert.Equal(["asked", "told of 8", null], found.Select(choice => choice.Failure));
                Assert.Equal(9, found[2].Id);
                run.Sampler.Begin(0, new SamplingRequest { Parameters = greedy });
                run.Sampler.Begin(1, new SamplingRequest { Parameters = greedy });
                Assert.Equal([7, 8], run.Choose(logits[..2], [0, 1]).Select(choice => choice.Id));
            }
    }

    private static void Same(TokenChoice expected, TokenChoice found, string what)
    {
        Assert.True((expected.Id, expected.Failure) == (found.Id, found.Failure), $"{what}: expected {expected.Id} {expected.Failure}, found {found.Id} {found.Failure}");
        Assert.Equal(expected.LogProb, found.LogProb, 1e-5f);
        Assert.Equal(expected.Top.ToArray().Select(token => token.Id), found.Top.ToArray().Select(token => token.Id));
        for (int rank = 0; rank < expected.Top.Length; rank++)
            Assert.Equal(expected.Top.Span[rank].LogProb, found.Top.Span[rank].LogProb, 1e-5f);
    }

    private static SamplingRequest RandomRequest(Random random) => new()
    {
        Parameters = new SamplingParameters(random.Next(3) == 0, 0.5f + random.NextSingle(), random.Next(2) * random.Next(60), random.Next(2) == 0 ? 1 : 0.9f, random.Next(2) == 0 ? 1 : 1.4f),
        Seed = (ulong)random.NextInt64(),
        Step = random.Next(3),
        SeenIds = random.Next(3) == 0 ? new[] { 0, 31, 32, Vocabulary - 1 } : default(ReadOnlyMemory<int>),
        LogProbs = random.Next(2) == 0,
        TopLogProbs = random.Next(2) * random.Next(21),
        Biases = random.Next(3) == 0 ? new TokenBias[] { new(0, 100), new(31, 2.5f), new(32, -100), new(Vocabulary - 1, 3) } : default(ReadOnlyMemory<TokenBias>),
        FrequencyPenalty = random.Next(3) == 0 ? 4 * (random.NextSingle() - 0.5f) : 0,
        PresencePenalty = random.Next(3) == 0 ? 4 * (random.NextSingle() - 0.5f) : 0,
    };

    private static float[] RandomLogits(Random random) => [.. Enumerable.Range(0, Vocabulary).Select(_ => 10 * (random.NextSingle() - 0.5f))];

    private static float[] Peak(int id) => [.. Enumerable.Range(0, Vocabulary).Select(other => other == id ? 1f : 0f)];

    private SamplerRun OnDevice() => SamplerRun.OnDevice(device, Vocabulary, Slots);

    private static SamplerRun OnProcessor() => SamplerRun.OnProcessor(Vocabulary, Slots);

    /// <summary>Allows a third of all ids, another one after each token.</summary>
    private sealed class Chain(int key) : ITokenConstraint
    {
        private int heard = key;

        public static Chain? Of(int key) => key == 0 ? null : new Chain(key);

        public ReadOnlySpan<uint> Allowed
        {
            get
            {
                uint[] bits = new uint[(Vocabulary + 31) / 32];
                for (int id = 0; id < Vocabulary; id++)
                    if ((id + heard) % 3 == 0)
                        bits[id / 32] |= 1u << (id % 32);
                return bits;
            }
        }

        public void Accept(int id)
        {
            Assert.Equal(0, (id + heard) % 3);
            heard = (heard * 31 % 10_007) + id;
        }
    }

    private sealed class Failing(bool whenAsked) : ITokenConstraint
    {
        private static readonly uint[] all = [.. Enumerable.Repeat(uint.MaxValue, (Vocabulary + 31) / 32)];

        public ReadOnlySpan<uint> Allowed => whenAsked ? throw new InvalidOperationException("asked") : all;

        public void Accept(int id) => throw new InvalidOperationException($"told of {id}");
    }
}
