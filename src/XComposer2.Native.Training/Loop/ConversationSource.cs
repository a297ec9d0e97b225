using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;

namespace XComposer2.Native.Training;

/// <summary>Conversations that are learnt together, and their share of each step.</summary>
/// <param name="Samples">At least one.</param>
/// <param name="Weight">Above 0; shares are weights over their sum.</param>
public sealed record SampleGroup(IReadOnlyList<TrainingSample> Samples, double Weight);

/// <summary>How steps are made of samples.</summary>
public sealed record StepOptions
{
    /// <summary>Steps of the run.</summary>
    public required int Steps { get; init; }

    /// <summary>Samples of a step.</summary>
    public int Accumulation { get; init; } = 8;

    /// <summary>Of the order of samples.</summary>
    public int Seed { get; init; }

    /// <summary>Samples of like length share a step.</summary>
    public bool GroupsByLength { get; init; }
}

/// <summary>Samples of conversation files: every pass over a group in an order of its own, each group with its share of every step.</summary>
public sealed class ConversationSource : ISampleSource
{
    private readonly SamplePreparer preparer;
    private readonly TrainingSample[] samples;
    private readonly StepOrder order;

    /// <param name="preparer">Reads pictures and writes texts.</param>
    /// <param name="groups">At least one.</param>
    /// <param name="options">Of the steps.</param>
    /// <exception cref="TrainingDataException">There are no samples.</exception>
    public ConversationSource(SamplePreparer preparer, IReadOnlyList<SampleGroup> groups, StepOptions options)
    {
        ArgumentNullException.ThrowIfNull(preparer);
        ArgumentNullException.ThrowIfNull(groups);
        ArgumentNullException.ThrowIfNull(options);
        this.preparer = preparer;
        samples = [.. groups.SelectMany(group => group.Samples)];
        if (groups.Count == 0 || groups.Any(group => group.Samples.Count == 0))
            throw new TrainingDataException("expected samples to learn from, found none");
        double sum = groups.Sum(group => group.Weight);
        order = new StepOrder([.. groups.Select(group => (group.Samples.Count, group.Weight / sum))], options, options.GroupsByLength ? LengthOf : null);
        Settings = new JsonObject
        {
            ["accumulation"] = options.Accumulation,
            ["seed"] = options.Seed,
            ["samples"] = samples.Length,
            ["group_by_length"] = options.GroupsByLength,
            ["shares"] = new JsonArray([.. groups.Select(group => JsonValue.Create(group.Weight / sum))]),
            ["data"] = Fingerprint(samples),
        };
    }

    /// <inheritdoc/>
    public JsonObject Settings { get; }

    /// <summary>Steps in which each of so many samples is learnt so many times.</summary>
    public static int StepsFor(long samples, int epochs, int accumulation)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(accumulation, 1);
        return checked((int)Math.Max(1, ((samples * epochs) + accumulation - 1) / accumulation));
    }

    /// <summary>Takes a share of the samples of each group away, at least one of them all, to hold it out.</summary>
    /// <param name="groups">Samples.</param>
    /// <param name="share">Above 0, below 1.</param>
    /// <param name="seed">Of which ones.</param>
    /// <returns>What is left to learn, and what is held out.</returns>
    /// <exception cref="TrainingDataException">Nothing would be left of a group.</exception>
    public static (IReadOnlyList<SampleGroup> Learnt, IReadOnlyList<TrainingSample> HeldOut) HoldOut(IReadOnlyList<SampleGroup> groups, double share, int seed)
    {
        ArgumentNullException.ThrowIfNull(groups);
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(share, 0);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(share, 1);
        List<SampleGroup> learnt = [];
        List<TrainingSample> heldOut = [];
        foreach (SampleGroup group in groups)
        {
            int count = group.Samples.Count, taken = Math.Max(heldOut.Count == 0 ? 1 : 0, (int)Math.Round(count * share));
            if (taken >= count)
                throw new TrainingDataException($"expected samples to learn from beside those that are held out, found {count}, of which {taken} are held out");
            var order = new SampleOrder(count, seed);
            HashSet<int> places = [.. Enumerable.Range(0, taken).Select(place => order.At(place))];
            heldOut.AddRange(places.Order().Select(place => group.Samples[place]));
            learnt.Add(group with { Samples = [.. group.Samples.Where((_, place) => !places.Contains(place))] });
        }

        return (learnt, heldOut);
    }

    /// <inheritdoc/>
    public StepSamples SamplesOf(int number, CancellationToken cancellation = default)
    {
        List<PreparedSample> prepared = [];
        List<LeftOutSample> leftOut = [];
        foreach (int sample in order.Of(number))
        {
            cancellation.ThrowIfCancellationRequested();
            try
            {
                prepared.Add(preparer.Prepare(samples[sample]));
            }
            catch (TrainingDataException error)
            {
                leftOut.Add(new LeftOutSample(sample, error.Message));
            }
        }

        return new StepSamples(prepared, leftOut);
    }

    // A bad sample is left out later: its length is as good as any.
    private int LengthOf(int number)
    {
        try
        {
            return preparer.LengthOf(samples[number]);
        }
        catch (TrainingDataException)
        {
            return 0;
        }
    }

    private static string Fingerprint(IReadOnlyList<TrainingSample> samples)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (TrainingSample sample in samples)
        {
            Add(sample.Id);
            foreach (TrainingTurn turn in sample.Turns)
                Add((turn.IsQuestion ? "?" : "!") + turn.Text);
            foreach (string picture in sample.Pictures)
                Add(Path.GetFileName(picture));
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());

        void Add(string text)
        {
            byte[] bytes = Encoding.UTF8.GetBytes(text);
            hash.AppendData(BitConverter.GetBytes(bytes.Length));
            hash.AppendData(bytes);
        }
    }
}
