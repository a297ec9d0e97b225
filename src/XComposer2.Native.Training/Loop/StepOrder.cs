namespace XComposer2.Native.Training;

/// <summary>Which samples each step has, as a function of the seed and the step: every group has its share of the samples at each moment, to within one, and goes through its own in
/// passes. Safe to call from several threads.</summary>
internal sealed class StepOrder
{
    /// <summary>Samples of like length are sought among so many steps.</summary>
    public const int WindowSteps = 32;

    private readonly StepOptions options;
    private readonly SampleOrder[] orders;
    private readonly double[] shares;
    private readonly int[] firsts;
    private readonly int[] taken;
    private readonly int[]? lengths;
    private readonly Func<int, int>? lengthOf;
    private readonly List<Draw> draws = [];
    private readonly Lock making = new();
    private int window = -1;
    private int[] arranged = [];

    /// <param name="groups">Samples of each, and its share; shares add up to 1.</param>
    /// <param name="options">Of the steps.</param>
    /// <param name="lengthOf">Length of a sample, by its number over all groups; null where lengths are not looked at.</param>
    public StepOrder(IReadOnlyList<(int Count, double Share)> groups, StepOptions options, Func<int, int>? lengthOf)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(options.Steps, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(options.Accumulation, 1);
        this.options = options;
        this.lengthOf = lengthOf;
        orders = [.. groups.Select((group, number) => new SampleOrder(group.Count, unchecked(options.Seed + (number * 7919))))];
        shares = [.. groups.Select(group => group.Share)];
        taken = new int[groups.Count];
        firsts = new int[groups.Count];
        for (int i = 1; i < groups.Count; i++)
            firsts[i] = firsts[i - 1] + groups[i - 1].Count;
        if (lengthOf is null)
            return;
        lengths = new int[groups.Sum(group => group.Count)];
        Array.Fill(lengths, -1);
    }

    /// <summary>Numbers of the samples of a step, over all groups.</summary>
    public int[] Of(int step)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(step);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(step, options.Steps);
        lock (making)
        {
            if (lengthOf is null)
                return [.. Enumerable.Range(step * options.Accumulation, options.Accumulation).Select(place => NumberOf(At(place)))];
            (int wanted, int place) = Math.DivRem(step, WindowSteps);
            if (wanted != window)
                (arranged, window) = (Arrange(wanted), wanted);
            return arranged.AsSpan(place * options.Accumulation, options.Accumulation).ToArray();
        }
    }

    // The samples of a window by length, each group in its own places, so that every step keeps its shares; then the steps in an order of their own.
    private int[] Arrange(int number)
    {
        int first = number * WindowSteps, steps = Math.Min(WindowSteps, options.Steps - first), size = options.Accumulation;
        Draw[] drawn = [.. Enumerable.Range(first * size, steps * size).Select(At)];
        int[] sorted = new int[drawn.Length];
        for (int group = 0; group < orders.Length; group++)
        {
            int[] places = [.. Enumerable.Range(0, drawn.Length).Where(place => drawn[place].Group == group)];
            int[] samples = [.. places.Select(place => NumberOf(drawn[place])).OrderBy(LengthOf)];
            for (int i = 0; i < places.Length; i++)
                sorted[places[i]] = samples[i];
        }

        int[] order = [.. Enumerable.Range(0, steps)];
        new Random(unchecked((options.Seed * 1_000_003) ^ ~number)).Shuffle(order);
        return [.. order.SelectMany(step => sorted.AsSpan(step * size, size).ToArray())];
    }

    private int LengthOf(int sample) => lengths![sample] >= 0 ? lengths[sample] : lengths[sample] = lengthOf!(sample);

    private int NumberOf(Draw draw) => firsts[draw.Group] + orders[draw.Group].At(draw.Index);

    // The group that is furthest behind its share is next.
    private Draw At(int place)
    {
        while (draws.Count <= place)
        {
            int next = 0;
            double most = double.NegativeInfinity;
            for (int group = 0; group < shares.Length; group++)
            {
                double behind = (shares[group] * (draws.Count + 1)) - taken[group];
                if (behind > most + 1e-9)
                    (next, most) = (group, behind);
            }

            draws.Add(new Draw(next, taken[next]++));
        }

        return draws[place];
    }

    private readonly record struct Draw(int Group, int Index);
}
