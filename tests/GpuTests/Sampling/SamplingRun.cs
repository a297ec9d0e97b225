using XComposer2.Native.Cuda;
using XComposer2.Native.Kernels;
using XComposer2.Native.Runtime;
using Xunit;

namespace XComposer2.Native.GpuTests;

/// <summary>Rows of logits through the kernel, several steps of one graph of buffers, as decoding has them.</summary>
internal static class SamplingRun
{
    /// <returns>[steps][rows] of what the host is told.</returns>
    public static SampledToken[][] Sample(GpuDevice device, IReadOnlyList<SamplingRow> rows)
    {
        int vocabulary = rows[0].Logits[0].Length, steps = rows.Min(row => row.Logits.Length);
        SampleToken kernel = new(vocabulary);
        using DeviceArray<SamplingState> states = device.Upload<SamplingState>([.. rows.Select(State)]);
        using DeviceArray<uint> seen = device.Upload<uint>([.. rows.SelectMany(row => Bits(row.Previous ?? [], (int)kernel.SeenBytes / sizeof(uint)))]);
        using DeviceArray<uint> allowed = device.Upload<uint>([.. rows.SelectMany(row => row.Allowed ?? new uint[kernel.SeenBytes / sizeof(uint)])]);
        using DeviceArray<Adjustment> adjustments = device.Upload<Adjustment>([.. rows.SelectMany(row => Adjustments(row, vocabulary))]);
        using DeviceArray<int> ids = device.Allocate<int>(rows.Count);
        using DeviceArray<uint> keys = device.Allocate<uint>(rows.Count * vocabulary);
        using DeviceArray<byte> maxima = device.Allocate<byte>(checked((int)(rows.Count * kernel.Cut.MaximaBytes)));
        using DeviceArray<uint> arrivals = device.Upload<uint>(new uint[rows.Count]);
        using PinnedMemory told = PinnedMemory.Allocate(device.Context, rows.Count * sizeof(long));
        told.Span.AsSpan<SampledToken>().Fill(SampledToken.None);
        SampleTokenArguments arguments = new()
        {
            States = new(states.Address), Seen = new(seen.Address), Allowed = new(allowed.Address), Adjustments = new(adjustments.Address), Ids = new(ids.Address),
            Keys = new(keys.Address), Maxima = new(maxima.Address), Arrivals = new(arrivals.Address), Tokens = told.DeviceSpan.Pointer,
        };
        // Neither rows nor answers come in their order.
        for (int row = 0; row < rows.Count; row++)
            arguments.Rows[row] = new SampledRow(rows.Count - 1 - row, (row + 1) % rows.Count);
        SampledToken[][] tokens = new SampledToken[steps][];
        for (int step = 0; step < steps; step++)
        {
            using DeviceArray<float> logits = device.Upload<float>([.. Enumerable.Range(0, rows.Count).SelectMany(row => rows[SlotOf(rows.Count - 1 - row)].Logits[step])]);
            arguments.Logits = new(logits.Address);
            arguments.Ticket = (uint)step + 7;
            device.Run(kernel, kernel.Geometry(rows.Count), arguments);
            tokens[step] = [.. Enumerable.Range(0, rows.Count).Select(slot => told.Span.AsSpan<SampledToken>()[(slot + rows.Count - 1) % rows.Count])];
            Assert.All(tokens[step], token => Assert.Equal((uint)step + 7, token.Ticket));
            // What the next step embeds: the id, or one that is in every vocabulary.
            Assert.Equal(tokens[step].Select(token => token.Failure is null ? token.Id : 0), ids.Download());
        }

        Assert.All(states.Download(), state => Assert.Equal((ulong)steps, state.Step));
        Assert.All(arrivals.Download(), count => Assert.Equal(0u, count));
        return tokens;

        int SlotOf(int place) => (place + 1) % rows.Count;
    }

    /// <summary>Every token is the one that the processor's sampler chooses, or every failure its failure.</summary>
    /// <returns>As <see cref="Sample"/>.</returns>
    public static SampledToken[][] CheckAgainstProcessor(GpuDevice device, IReadOnlyList<SamplingRow> rows)
    {
        SampledToken[][] found = Sample(device, rows);
        for (int index = 0; index < rows.Count; index++)
        {
            SamplingRow row = rows[index];
            TokenSampler sampler = new(row.Parameters, row.Logits[0].Length, row.Seed);
            LogitAdjustments? adjustments = LogitAdjustments.Of(row.Request);
            for (int step = 0; step < found.Length; step++)
            {
                string expected;
                try
                {
                    float[] logits = [.. row.Logits[step]];
                    adjustments?.Apply(logits);
                    int id = sampler.Next(logits);
                    adjustments?.Hear(id);
                    expected = $"id {id}";
                }
                catch (InvalidOperationException failure)
                {
                    // The processor's sampler has no next step; the row of the kernel must only not disturb others.
                    Assert.True(failure.Message == found[step][index].Failure, $"row {index}, step {step}, {row.Parameters}: {failure.Message}, found {Describe(found[step][index])}");
                    break;
                }

                Assert.True(expected == Describe(found[step][index]), $"row {index}, step {step}, {row.Parameters}, seed {row.Seed}: {expected}, found {Describe(found[step][index])}");
            }
        }

        return found;
    }

    private static string Describe(SampledToken token) => token.Failure ?? $"id {token.Id}";

    private static SamplingState State(SamplingRow row) => new(
        row.Seed, 0, row.Parameters.Temperature, row.Parameters.TopP, row.Parameters.RepetitionPenalty, (uint)row.Parameters.TopK, row.Parameters.Greedy ? 1u : 0u,
        row.FrequencyPenalty, row.PresencePenalty, row.Adjusts ? 1u : 0u, row.Allowed is null ? 0u : 1u);

    private static Adjustment[] Adjustments(SamplingRow row, int vocabulary)
    {
        var adjustments = new Adjustment[vocabulary];
        foreach (TokenBias bias in row.Biases)
            adjustments[bias.Id] = new Adjustment(bias.Bias, 0);
        return adjustments;
    }

    private static uint[] Bits(IReadOnlyCollection<int> ids, int words)
    {
        uint[] bits = new uint[words];
        foreach (int id in ids)
            bits[id / 32] |= 1u << (id % 32);
        return bits;
    }
}
