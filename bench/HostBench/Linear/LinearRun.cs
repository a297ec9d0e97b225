using System.Diagnostics;
using XComposer2.Native.Cpu;
using XComposer2.Native.Graph;

namespace XComposer2.Native.HostBench;

/// <summary>Measures linears and their yardsticks alternately, so that other load affects both.</summary>
internal sealed unsafe class LinearRun : IDisposable
{
    private const int Rounds = 9;

    private const int MostTries = 40;

    private const double SampleSeconds = 0.02;

    // A round counts if the yardstick just before and just after it reached this fraction of its best.
    private const double DisturbedBelow = 0.9;

    private const long YardstickBytes = 256L * 1024 * 1024;

    // Larger than any last-level cache, so that weights come from memory as in a decoder, which never reads the same ones twice in a row.
    private const long WeightPoolBytes = 800L * 1024 * 1024;

    private readonly WorkerPool pool;

    private readonly OpenBlas? openBlas;

    private readonly NativeBuffer sixteenBits = NativeBuffer.Random(WeightPoolBytes, sixteenBit: true);

    private readonly NativeBuffer thirtyTwoBits = NativeBuffer.Random(WeightPoolBytes / 2, sixteenBit: false);

    public LinearRun(WorkerPool pool, OpenBlas? openBlas)
    {
        this.pool = pool;
        this.openBlas = openBlas;
    }

    public LinearResult Measure(LinearShape shape)
    {
        using NativeBuffer x = NativeBuffer.Random((long)shape.Rows * shape.Inputs * sizeof(float), sixteenBit: false);
        using var y = new NativeBuffer((long)shape.Rows * shape.Outputs * sizeof(float));
        using var lora = NativeBuffer.Random(Math.Max(64, shape.LoraElements * sizeof(ushort)), sixteenBit: true);
        using var map = new NativeBuffer(shape.Rows * (long)sizeof(int));
        for (int row = 0; row < shape.Rows; row++)
            ((int*)map.Data)[row] = row < shape.VisualRows ? row : -1;
        bool hasIntegers = shape.Integers is not null;
        long scratchBytes = shape.Gated
            ? GatedLinearKernel.ScratchBytes(shape.Rows, shape.Inputs, shape.Outputs, shape.Rank, shape.Rank, pool.Threads, hasIntegers)
            : LinearKernel.ScratchBytes(shape.Rows, shape.Inputs, shape.Outputs, shape.Rank, pool.Threads, hasIntegers);
        using var scratch = new NativeBuffer(scratchBytes);
        NativeBuffer weights = shape.Type == DType.F32 ? thirtyTwoBits : sixteenBits;
        int copies = (int)Math.Max(1, weights.Bytes / shape.WeightBytes);
        int turn = 0;
        using var integers = new IntegerCopies(shape, shape.IsStream ? WeightPoolBytes : 0);

        void Ours()
        {
            nint weight = weights.Data + (nint)(turn % copies * shape.WeightBytes);
            WeightMatrix main = hasIntegers ? integers[turn] : WeightMatrix.Of(new FloatMatrix(weight, shape.Type, shape.Outputs, shape.Inputs));
            WeightMatrix second = hasIntegers ? integers[turn + 1] : main with { Elements = weight + (nint)(shape.WeightBytes / 2) };
            turn += hasIntegers && shape.Gated ? 2 : 1;
            LoraMatrices? low = shape.Rank == 0 ? null : new LoraMatrices(
                new WeightMatrix(WeightFormat.BF16, shape.Rank, shape.Inputs, lora.Data),
                new WeightMatrix(WeightFormat.BF16, shape.Outputs, shape.Rank, lora.Data + ((nint)shape.Rank * shape.Inputs * sizeof(ushort))), 1f);
            if (shape.Gated)
                GatedLinearKernel.Run(
                    x.Floats, shape.Rows, main, second, low, low, (int*)map.Data,
                    y.Floats, (void*)scratch.Data, scratchBytes, pool);
            else
                LinearKernel.Run(
                    x.Floats, shape.Rows, main, null, Activation.None, null, low, (int*)map.Data,
                    y.Floats, (void*)scratch.Data, scratchBytes, pool);
        }

        void Theirs() => openBlas!.Multiply(
            x.Floats, shape.Rows, (float*)(weights.Data + (nint)(turn++ % copies * shape.WeightBytes)), shape.Outputs, shape.Inputs, y.Floats);

        bool compares = openBlas is not null && shape.Type == DType.F32 && !shape.Gated && !shape.IsStream;
        Ours();
        if (compares)
            Theirs();
        return Alternate(shape, Ours, compares ? Theirs : null);
    }

    public void Dispose()
    {
        sixteenBits.Dispose();
        thirtyTwoBits.Dispose();
    }

    private LinearResult Alternate(LinearShape shape, Action ours, Action? theirs)
    {
        double work = (shape.IsStream ? shape.WeightBytes : shape.Flops) / 1e9;
        int repeats = Math.Max(1, (int)(SampleSeconds / Seconds(ours, 1)));
        var rounds = new List<Round>();
        double before = Yardstick(shape);
        double best = before;
        for (int tries = 0; tries < MostTries && rounds.Count(round => round.Undisturbed(best)) < Rounds; tries++)
        {
            double rate = work / Seconds(ours, repeats);
            double after = Yardstick(shape);
            double? peer = null;
            if (theirs is not null)
            {
                peer = work / Seconds(theirs, repeats);

                // OpenBLAS threads spin for a moment before they sleep.
                Thread.Sleep(3);
            }

            rounds.Add(new Round(before, rate, after, peer));
            before = peer is null ? after : Yardstick(shape);
            best = Math.Max(best, Math.Max(before, after));
        }

        Round[] clean = [.. rounds.Where(round => round.Undisturbed(best))];
        Round[] counted = clean.Length > 0 ? clean : [.. rounds];
        double[] ratios = [.. counted.Select(round => round.Rate / round.Yardstick)];
        return new LinearResult(
            shape, Median.Of(counted.Select(round => round.Rate)), Median.Of(counted.Select(round => round.Yardstick)),
            Median.Of(ratios), ratios.Min(), ratios.Max(), clean.Length,
            theirs is null ? null : Median.Of(counted.Select(round => round.Peer!.Value)),
            theirs is null ? null : Median.Of(counted.Select(round => round.Rate / round.Peer!.Value)));
    }

    private double Yardstick(LinearShape shape)
    {
        if (!shape.IsStream && shape.Integers is { } format)
            return pool.Threads * IntegerProbe.Operations(format.Elements.ElementBits()) / 1e9 / Seconds(() => IntegerProbe.Run(pool, format.Elements.ElementBits()), 1);
        if (shape.IsStream)
            return YardstickBytes / 1e9 / Seconds(() => PeakProbes.Read(sixteenBits.Data, YardstickBytes, pool), 1);
        return pool.Threads * PeakProbes.MultiplyAddFlops / 1e9 / Seconds(() => PeakProbes.MultiplyAdds(pool), 1);
    }

    private static double Seconds(Action action, int repeats)
    {
        long start = Stopwatch.GetTimestamp();
        for (int i = 0; i < repeats; i++)
            action();
        return Stopwatch.GetElapsedTime(start).TotalSeconds / repeats;
    }

    private sealed record Round(double Before, double Rate, double After, double? Peer)
    {
        public double Yardstick => (Before + After) / 2;

        public bool Undisturbed(double best) => Math.Min(Before, After) >= DisturbedBelow * best;
    }
}
