using System.Diagnostics;
using System.Globalization;
using XComposer2.Demo.Mixtures;
using XComposer2.Native.Model;
using XComposer2.Native.Runtime;
using XComposer2.Native.Training;

namespace XComposer2.Demo.Training;

/// <summary>Trains the demo's checkpoint from nothing: a folder for each stage, whose result the next one begins with. A stage that was stopped goes on.</summary>
internal sealed class DemoTraining(string folder, string like, int layers, int threads, ulong seed, double share, Action<string> log)
{
    private const int VisionSteps = 1500, VisionPictures = 96, SaveEvery = 500, ReportEvery = 100;
    private const double VisionRate = 1.5e-3;
    private const string Start = "start", Vision = "vision", Result = "result";

    private readonly long started = Stopwatch.GetTimestamp();

    /// <summary>Runs the stages that have no result yet.</summary>
    /// <param name="until">Name of the last stage to run; null for all.</param>
    /// <param name="cancellation">Takes effect between operations.</param>
    public void Run(string? until, CancellationToken cancellation)
    {
        string before = Path.Combine(folder, Start);
        if (!HasModel(before))
            FreshModel.Write(before, like, layers, seed);
        string after = Path.Combine(folder, Vision, Result);
        if (!HasModel(after))
            using (var backend = new CpuBackend(threads))
                new VisionStage(Steps(VisionSteps), VisionPictures, VisionRate).Run(
                    before, after, backend, seed, (step, loss) => Log(Vision, step, Steps(VisionSteps), loss), cancellation);
        foreach (DemoStage stage in DemoStages.All)
        {
            if (until == Vision)
                return;
            before = after;
            after = Path.Combine(folder, stage.Name, Result);
            if (!HasModel(after))
                Run(stage, before, cancellation);
            if (stage.Name == until)
                return;
        }
    }

    /// <summary>Runs one stage, or goes on with it.</summary>
    /// <param name="stage">Which.</param>
    /// <param name="before">Folder of the checkpoint that it begins with, in F32.</param>
    /// <param name="cancellation">Takes effect between operations.</param>
    public void Run(DemoStage stage, string before, CancellationToken cancellation)
    {
        using var backend = new CpuBackend(threads);
        using var trainer = new Trainer(before, stage.Recipe, backend);
        TextTokenizer tokenizer = TextTokenizer.Load(before, trainer.Config.Decoder.VocabularySize);
        var source = new MixtureSource(stage.Mixture, new ToyPreparer(trainer.Config, tokenizer), stage.Samples, seed);
        (double sum, int count) = (0, 0);
        var run = new TrainingRun(trainer, stage.Recipe, source, new TrainingRunOptions { OutputFolder = Path.Combine(folder, stage.Name), Steps = Steps(stage.Steps), SaveEvery = SaveEvery });
        run.Run(new InOrder(step =>
        {
            (sum, count) = (sum + step.Loss, count + 1);
            if (step.Step % ReportEvery != 0 && step.Step != step.Steps)
                return;
            Log(stage.Name, step.Step, step.Steps, sum / count);
            (sum, count) = (0, 0);
        }), cancellation);
    }

    private void Log(string stage, int step, int steps, double loss) => log(string.Create(
        CultureInfo.InvariantCulture, $"{Stopwatch.GetElapsedTime(started).TotalMinutes,6:0.0} min  {stage} step {step} of {steps}: loss {loss:0.0000}"));

    private int Steps(int all) => Math.Max(1, (int)Math.Round(all * share));

    private static bool HasModel(string path) => File.Exists(Path.Combine(path, "model.safetensors"));

    // Progress<T> reports on another thread, in any order.
    private sealed class InOrder(Action<TrainingStep> action) : IProgress<TrainingStep>
    {
        public void Report(TrainingStep value) => action(value);
    }
}
