using System.Diagnostics;
using System.Text.Json.Nodes;

namespace XComposer2.Native.Training;

/// <summary>How long a run learns, and where it writes.</summary>
public sealed record TrainingRunOptions
{
    /// <summary>Folder of the state, the metrics and the result.</summary>
    public required string OutputFolder { get; init; }

    /// <summary>Steps of the optimiser.</summary>
    public required int Steps { get; init; }

    /// <summary>The state is saved after so many steps.</summary>
    public int SaveEvery { get; init; } = 100;

    /// <summary>Samples that are not learnt, in packs that are scored together; asked for anew each time. Null for none.</summary>
    public Func<IEnumerable<StepSamples>>? HeldOut { get; init; }

    /// <summary>They are scored after so many steps; and at the beginning and the end.</summary>
    public int EvaluateEvery { get; init; } = 100;
}

/// <summary>A run: steps over the samples of a source, a line of metrics for each, and a state from which a killed run goes on to the same result, bit for bit. Not thread-safe.</summary>
/// <param name="trainer">New, or as another run of the same folder left it. Not owned.</param>
/// <param name="recipe">Of the trainer.</param>
/// <param name="source">Asked for samples one step ahead, on another thread.</param>
/// <param name="options">Length and place.</param>
public sealed class TrainingRun(Trainer trainer, TrainingRecipe recipe, ISampleSource source, TrainingRunOptions options)
{
    private readonly SortedDictionary<long, string> leftOut = [];
    private readonly SortedDictionary<long, string> unscored = [];

    /// <summary>Samples that could not be learnt from, by number, with the reason.</summary>
    public IReadOnlyDictionary<long, string> LeftOut => leftOut;

    /// <summary>Held-out samples that could not be scored, by number, with the reason.</summary>
    public IReadOnlyDictionary<long, string> Unscored => unscored;

    /// <summary>Receives each score of the held-out samples; null for nobody.</summary>
    public IProgress<HeldOutScore>? Scores { get; init; }

    /// <summary>Runs, or goes on, to the last step, and writes the trained model or adapter into the folder <c>result</c>.</summary>
    /// <param name="progress">Receives each step; null for nobody.</param>
    /// <param name="cancellation">Takes effect between operations. The steps that were made are saved.</param>
    /// <exception cref="TrainingDataException">The folder holds a run of other settings, or no sample of a step can be learnt from.</exception>
    /// <exception cref="OperationCanceledException">The run was cancelled.</exception>
    /// <exception cref="IOException">The folder cannot be written.</exception>
    public void Run(IProgress<TrainingStep>? progress, CancellationToken cancellation)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(options.Steps, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(options.SaveEvery, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(options.EvaluateEvery, 1);
        Directory.CreateDirectory(options.OutputFolder);
        JsonObject settings = TrainingState.Settings(recipe, options, source, trainer);
        var state = new TrainingState(options.OutputFolder, settings);
        trainer.Parameters.ClearGradients();
        trainer.Steps = state.Load(trainer.Parameters, leftOut);
        int saved = trainer.Steps;
        using var log = new TrainingLog(options.OutputFolder, saved);
        try
        {
            Learn(log, state, progress, ref saved, cancellation);
        }
        catch (OperationCanceledException)
        {
            Save(log, state, ref saved);
            throw;
        }

        Save(log, state, ref saved);
        trainer.Save(Path.Combine(options.OutputFolder, "result"));
    }

    private void Learn(TrainingLog log, TrainingState state, IProgress<TrainingStep>? progress, ref int saved, CancellationToken cancellation)
    {
        RateSchedule schedule = RateSchedule.For(options.Steps);
        Task<StepSamples>? next = Prepare(trainer.Steps);
        Evaluate(log, cancellation);
        while (next is not null)
        {
            IReadOnlyList<PreparedSample> prepared = Taken(next.GetAwaiter().GetResult());
            next = Prepare(trainer.Steps + 1);
            TrainingStep step = Learn(prepared, schedule, cancellation);
            log.Write(step);
            progress?.Report(step);
            Evaluate(log, cancellation);
            if (trainer.Steps % options.SaveEvery == 0)
                Save(log, state, ref saved);
        }

        Task<StepSamples>? Prepare(int step) => step < options.Steps ? Task.Run(() => source.SamplesOf(step, cancellation), CancellationToken.None) : null;
    }

    private void Save(TrainingLog log, TrainingState state, ref int saved)
    {
        if (saved != trainer.Steps)
            state.Save(trainer.Parameters, trainer.Steps, leftOut);
        saved = trainer.Steps;
        log.Draw();
    }

    // A run that was stopped before a score was written makes it up.
    private void Evaluate(TrainingLog log, CancellationToken cancellation)
    {
        bool isDue = trainer.Steps % options.EvaluateEvery == 0 || trainer.Steps == options.Steps;
        if (options.HeldOut is not { } heldOut || !isDue || log.LastScored == trainer.Steps)
            return;
        if (HeldOutScore.Of(trainer, heldOut(), sample => unscored[sample.Number] = sample.Reason, cancellation) is not { } score)
            return;
        log.Write(score);
        Scores?.Report(score);
    }

    private IReadOnlyList<PreparedSample> Taken(StepSamples samples)
    {
        foreach (LeftOutSample sample in samples.LeftOut)
            leftOut[sample.Number] = sample.Reason;
        return samples.Samples;
    }

    private TrainingStep Learn(IReadOnlyList<PreparedSample> prepared, RateSchedule schedule, CancellationToken cancellation)
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
