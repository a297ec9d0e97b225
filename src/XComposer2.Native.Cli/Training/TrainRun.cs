using System.Globalization;
using XComposer2.Native.Cuda;
using XComposer2.Native.Graph;
using XComposer2.Native.Model;
using XComposer2.Native.Runtime;
using XComposer2.Native.Training;

namespace XComposer2.Native.Cli;

/// <summary>What <c>xc2 train</c> is asked for.</summary>
internal sealed record TrainingRequest
{
    public required string Model { get; init; }

    public required TrainingRecipe Recipe { get; init; }

    /// <summary>Of frozen weights.</summary>
    public required WeightQuantization Quantization { get; init; }

    public required TrainingFiles Data { get; init; }

    /// <summary>The number of steps depends on the data.</summary>
    public required TrainingRunOptions Run { get; init; }

    /// <inheritdoc cref="Run"/>
    public required StepOptions Order { get; init; }

    public required int Epochs { get; init; }

    /// <summary>In place of epochs.</summary>
    public int? Steps { get; init; }

    public int? Context { get; init; }

    public int? Threads { get; init; }

    /// <summary>Of frozen weights on a GPU; null for the processor.</summary>
    public DType? Storage { get; init; }
}

/// <summary>Where samples come from.</summary>
/// <param name="Learnt">Conversations and lists.</param>
/// <param name="HeldOut">The same, or one share of what is learnt.</param>
/// <param name="AreThousands">Numbers of lists are thousands of samples.</param>
/// <param name="AreWeights">Numbers of lists are weights in every step.</param>
internal sealed record TrainingFiles(string[] Learnt, string[] HeldOut, bool AreThousands, bool AreWeights)
{
    /// <param name="seed">Of what is drawn and held out.</param>
    /// <exception cref="UsageException">A share that is none.</exception>
    /// <exception cref="TrainingDataException">A file cannot be read.</exception>
    public (IReadOnlyList<SampleGroup> Learnt, IReadOnlyList<TrainingSample> HeldOut) Read(int seed)
    {
        double? share = HeldOut.Length == 1 && double.TryParse(HeldOut[0], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double number) ? number : null;
        if (share is <= 0 or >= 1)
            throw new UsageException($"--held-out must be a file or a share over 0 and below 1, not '{HeldOut[0]}'");
        IReadOnlyList<SampleGroup> groups = AreWeights ? SampleSources.ReadGroups(Learnt) : [new SampleGroup(SampleSources.Read(Learnt, AreThousands, seed), 1)];
        return share is { } part ? ConversationSource.HoldOut(groups, part, seed) : (groups, SampleSources.Read(HeldOut, seed: seed));
    }
}

/// <summary>Runs <c>xc2 train</c>.</summary>
internal static class TrainRun
{
    private const int MostReasons = 20, ReservePart = 64;

    // Of a GPU, beside what is planned: code of kernels, and what allocations are rounded up by.
    private const long MostReserveBytes = 256L << 20;

    public static int Start(CliConsole console, TrainingRequest request, CancellationToken cancellation)
    {
        (IReadOnlyList<SampleGroup> groups, IReadOnlyList<TrainingSample> heldOut) = request.Data.Read(request.Order.Seed);
        int samples = groups.Sum(group => group.Samples.Count), steps = request.Steps ?? ConversationSource.StepsFor(samples, request.Epochs, request.Order.Accumulation);
        using ITrainingBackend backend = request.Storage is { } storage ? OpenGpu(storage) : new CpuBackend(request.Threads);
        using var trainer = new Trainer(request.Model, request.Recipe, backend, request.Order.Seed, request.Quantization) { ActivationBytes = ActivationBytes(backend, request) };
        var text = new TrainingText(TextTokenizer.Load(request.Model, trainer.Config.Decoder.VocabularySize));
        var preparer = new SamplePreparer(trainer.Config, text, Math.Min(request.Context ?? trainer.Config.ContextLength, trainer.Config.ContextLength));
        var source = new ConversationSource(preparer, groups, request.Order with { Steps = steps });
        var watch = new TrainingWatch(console);
        var run = new TrainingRun(
            trainer, request.Recipe, source, request.Run with { Steps = steps, HeldOut = heldOut.Count > 0 ? new HeldOutSamples(preparer, heldOut).Packs : null }) { Scores = watch };
        string held = heldOut.Count > 0 ? $", {heldOut.Count} held out" : "", frozen = trainer.Quantization.Length > 0 ? $"; frozen: {trainer.Quantization}" : "";
        console.Hint(string.Create(CultureInfo.InvariantCulture, $"{samples} samples{held}, {steps} steps, {trainer.Parameters.Parameters.Length} weights are trained{frozen}"));
        run.Run(watch, cancellation);
        Name(console, run.LeftOut, $"of {samples} samples were left out");
        Name(console, run.Unscored, $"of {heldOut.Count} held-out samples were left out");
        console.Say($"{TerminalText.OneLine(Path.Combine(request.Run.OutputFolder, "result"))}\n");
        return ExitCode.Done;
    }

    /// <exception cref="EngineException">There is none, or it cannot train.</exception>
    private static CudaBackend OpenGpu(DType storage)
    {
        try
        {
            return new CudaBackend(new CudaBackendOptions { Storage = storage });
        }
        catch (Exception failure) when (failure is CudaUnavailableException or NotSupportedException)
        {
            throw new EngineException($"device cuda: {failure.Message}", failure);
        }
    }

    // Half of the machine's memory; on a GPU what frozen weights and parameters leave of what is free.
    private static long ActivationBytes(ITrainingBackend backend, TrainingRequest request)
    {
        if (backend is not CudaBackend gpu)
            return GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 2;
        TrainingMemoryPlan plan = TrainingPlanOutput.Plan(request.Model, null, request.Recipe, gpu.Storage, request.Quantization, request.Context);
        (long free, long total) = gpu.ReadMemory();
        long left = free - Math.Min(MostReserveBytes, free / ReservePart) - plan.Fixed.TotalBytes;
        return left > 0 ? left : throw new EngineException(string.Create(
            CultureInfo.InvariantCulture,
            $"training takes {InspectionText.Size(plan.LeastBytes)} of device memory at least, {InspectionText.Size(free)} of {InspectionText.Size(total)} are free on {gpu.DeviceName}; xc2 plan --train shows what it is"));
    }

    private static void Name(CliConsole console, IReadOnlyDictionary<long, string> reasons, string what)
    {
        foreach (string reason in reasons.Values.Take(MostReasons))
            console.Hint($"left out: {TerminalText.OneLine(reason)}");
        if (reasons.Count > 0)
            console.Hint(string.Create(CultureInfo.InvariantCulture, $"{reasons.Count} {what}"));
    }
}

/// <summary>A line for each step, what it was and how long the rest will take, and for each score.</summary>
internal sealed class TrainingWatch(CliConsole console) : IProgress<TrainingStep>, IProgress<HeldOutScore>
{
    private double seconds;
    private int steps;

    public void Report(TrainingStep value)
    {
        seconds += value.Seconds;
        double left = seconds / ++steps * (value.Steps - value.Step);
        console.Hint(string.Create(CultureInfo.InvariantCulture, $"{value}, about {TimeSpan.FromSeconds(Math.Ceiling(left))} left"));
    }

    public void Report(HeldOutScore value) => console.Hint(value.ToString());
}
