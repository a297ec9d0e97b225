using System.Diagnostics;
using System.Text.Json.Nodes;

namespace XComposer2.Native.Training;

/// <summary>How long and in which order a run learns, and where it writes.</summary>
public sealed record TrainingRunOptions
{
    /// <summary>Folder of the state, the metrics and the result.</summary>
    public required string OutputFolder { get; init; }

    /// <summary>Steps of the optimiser.</summary>
    public required int Steps { get; init; }

    /// <summary>Samples of a step.</summary>
    public int Accumulation { get; init; } = 8;

    /// <summary>The state is saved after so many steps.</summary>
    public int SaveEvery { get; init; } = 100;

    /// <summary>Of the order of samples.</summary>
    public int Seed { get; init; }
}

/// <summary>A run: steps over samples in a fixed order, a line of metrics for each, and a state from which a killed run goes on to the same result, bit for bit. Not thread-safe.</summary>
/// <param name="trainer">New, or as another run of the same folder left it. Not owned.</param>
/// <param name="recipe">Of the trainer.</param>
/// <param name="preparer">Reads pictures and writes texts, one step ahead on another thread.</param>
/// <param name="samples">At least one.</param>
/// <param name="options">Length, order and place.</param>
public sealed class TrainingRun(Trainer trainer, TrainingRecipe recipe, SamplePreparer preparer, IReadOnlyList<TrainingSample> samples, TrainingRunOptions options)
{
    private readonly SortedDictionary<int, string> leftOut = [];
    private readonly Lock leaving = new();

    /// <summary>Samples that could not be learnt from, by number, with the reason.</summary>
    public IReadOnlyDictionary<int, string> LeftOut
    {
        get
        {
            lock (leaving)
                return new SortedDictionary<int, string>(leftOut);
        }
    }

    /// <summary>Runs, or goes on, to the last step, and writes the trained model or adapter into the folder <c>result</c>.</summary>
    /// <param name="progress">Receives each step; null for nobody.</param>
    /// <param name="cancellation">Takes effect between operations. What was learnt since the last save is lost.</param>
    /// <exception cref="TrainingDataException">The folder holds a run of other settings, or no sample of a step can be learnt from.</exception>
    /// <exception cref="OperationCanceledException">The run was cancelled.</exception>
    public void Run(IProgress<TrainingStep>? progress, CancellationToken cancellation)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(options.Steps, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(options.Accumulation, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(options.SaveEvery, 1);
        if (samples.Count == 0)
            throw new TrainingDataException("expected samples to learn from, found none");
        Directory.CreateDirectory(options.OutputFolder);
        JsonObject settings = TrainingState.Settings(recipe, options, samples, trainer.Directory);
        var state = new TrainingState(options.OutputFolder, settings);
        trainer.Parameters.ClearGradients();
        trainer.Steps = state.Load(trainer.Parameters);
        var order = new SampleOrder(samples.Count, options.Seed);
        RateSchedule schedule = RateSchedule.For(options.Steps);
        using var log = new TrainingLog(options.OutputFolder, trainer.Steps);
        Task<List<PreparedSample>> next = Prepare(trainer.Steps);
        while (trainer.Steps < options.Steps)
        {
            List<PreparedSample> prepared = next.GetAwaiter().GetResult();
            if (trainer.Steps + 1 < options.Steps)
                next = Prepare(trainer.Steps + 1);
            TrainingStep step = Learn(prepared, schedule, cancellation);
            log.Write(step);
            if (trainer.Steps % options.SaveEvery == 0 || trainer.Steps == options.Steps)
                state.Save(trainer.Parameters, trainer.Steps);
            progress?.Report(step);
        }

        trainer.Save(Path.Combine(options.OutputFolder, "result"));

        Task<List<PreparedSample>> Prepare(int step)
        {
            int[] numbers = [.. Enumerable.Range(0, options.Accumulation).Select(k => order.At(((long)step * options.Accumulation) + k))];
            return Task.Run(() => Prepared(numbers), CancellationToken.None);
        }
    }

    private List<PreparedSample> Prepared(int[] numbers)
    {
        List<PreparedSample> prepared = [];
        foreach (int number in numbers)
        {
            try
            {
                prepared.Add(preparer.Prepare(samples[number]));
            }
            catch (TrainingDataException error)
            {
                lock (leaving)
                    leftOut[number] = error.Message;
            }
        }

        return prepared;
    }

    private TrainingStep Learn(List<PreparedSample> prepared, RateSchedule schedule, CancellationToken cancellation)
    {
        if (prepared.Count == 0)
            throw new TrainingDataException($"step {trainer.Steps + 1}: expected a sample to learn from, found none: {string.Join("; ", LeftOut.Values.Take(3))}");
        long start = Stopwatch.GetTimestamp();
        double factor = schedule.FactorAt(trainer.Steps);
        double loss = trainer.Accumulate(prepared, 1.0 / prepared.Count, cancellation).Average();
        double norm = trainer.Update(factor);
        return new TrainingStep(
            trainer.Steps, options.Steps, loss, norm, recipe.Rate * factor, prepared.Count, prepared.Sum(sample => (long)sample.Text.Ids.Count), Stopwatch.GetElapsedTime(start).TotalSeconds);
    }
}
