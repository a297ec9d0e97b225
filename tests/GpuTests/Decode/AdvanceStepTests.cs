using XComposer2.Native.Kernels;
using Xunit;

namespace XComposer2.Native.GpuTests;

public sealed class AdvanceStepTests(GpuDevice device)
{
    [Theory]
    [InlineData(1)]
    [InlineData(8)]
    [InlineData(129)]
    public void Sequences_grow_until_a_stop_id(int count)
    {
        AdvanceStep kernel = new();
        SequenceSpan[] spans = [.. Enumerable.Range(0, count).Select(index => new SequenceSpan(index, index % 5 == 4 ? 0 : 1, 63 + index, 7 * index))];
        int[] stops = [2, 92542];
        using DeviceArray<SequenceSpan> sequences = device.Upload(spans);
        using DeviceArray<int> stopIds = device.Upload(stops);
        using DeviceArray<uint> finished = device.Upload(new uint[count]);
        bool[] ended = new bool[count];
        for (int step = 0; step < 4; step++)
        {
            int[] chosen = [.. Enumerable.Range(0, count).Select(index => (index + step) % 3 == 2 ? stops[index % 2] : 5 + index)];
            using DeviceArray<int> ids = device.Upload(chosen);
            device.Run(kernel, kernel.Geometry(count), new AdvanceStepArguments(
                new(sequences.Address), new(ids.Address), new(stopIds.Address), new(finished.Address), (uint)count, (uint)stops.Length));
            for (int index = 0; index < count; index++)
            {
                if (ended[index]) continue;
                spans[index] = spans[index] with { PastLength = spans[index].PastLength + spans[index].RowCount };
                ended[index] = stops.Contains(chosen[index]);
            }

            Assert.Equal(spans, sequences.Download());
            Assert.Equal(ended.Select(end => end ? 1u : 0u), finished.Download());
        }

        Assert.Contains(true, ended);
    }

    [Fact]
    public void Without_stop_ids_nothing_ends()
    {
        AdvanceStep kernel = new();
        using DeviceArray<SequenceSpan> sequences = device.Upload([new SequenceSpan(0, 1, 0, 0)]);
        using DeviceArray<int> ids = device.Upload([2]);
        using DeviceArray<uint> finished = device.Upload([0u]);
        for (int step = 0; step < 3; step++)
            device.Run(kernel, kernel.Geometry(1), new AdvanceStepArguments(new(sequences.Address), new(ids.Address), default, new(finished.Address), 1, 0));
        Assert.Equal([new SequenceSpan(0, 1, 3, 0)], sequences.Download());
        Assert.Equal([0u], finished.Download());
    }
}
