using System.Diagnostics;
using System.Globalization;

namespace XComposer2.Native.Training;

/// <summary>Samples that are not learnt, but scored now and then. They are read anew each time, some at a time.</summary>
/// <param name="preparer">Reads pictures and writes texts.</param>
/// <param name="samples">At least one.</param>
public sealed class HeldOutSamples(SamplePreparer preparer, IReadOnlyList<TrainingSample> samples)
{
    private const int PackSamples = 16;

    /// <summary>Samples that are scored together, and those of them that cannot be read.</summary>
    public IEnumerable<StepSamples> Packs()
    {
        for (int first = 0; first < samples.Count; first += PackSamples)
        {
            List<PreparedSample> prepared = [];
            List<LeftOutSample> leftOut = [];
            for (int i = first; i < Math.Min(samples.Count, first + PackSamples); i++)
            {
                try
                {
                    prepared.Add(preparer.Prepare(samples[i]));
                }
                catch (TrainingDataException error)
                {
                    leftOut.Add(new LeftOutSample(i, error.Message));
                }
            }

            yield return new StepSamples(prepared, leftOut);
        }
    }
}

/// <summary>How well a model knows samples that it has not learnt.</summary>
/// <param name="Step">Steps that were made before; 0 for the model that training began with.</param>
/// <param name="Loss">Mean over samples of their mean losses.</param>
/// <param name="Samples">Samples.</param>
/// <param name="Answers">Answers in them.</param>
/// <param name="ExactAnswers">Those that greedy decoding would give, to the end mark (<see cref="SampleScore.ExactAnswers"/>).</param>
/// <param name="Seconds">That it took.</param>
public sealed record HeldOutScore(int Step, double Loss, int Samples, int Answers, int ExactAnswers, double Seconds)
{
    /// <summary>Scores packs of samples; null where none of them can be read.</summary>
    /// <param name="trainer">The model as it is now.</param>
    /// <param name="packs">Samples.</param>
    /// <param name="leftOut">Receives samples that cannot be read.</param>
    /// <param name="cancellation">Takes effect between operations.</param>
    internal static HeldOutScore? Of(Trainer trainer, IEnumerable<StepSamples> packs, Action<LeftOutSample> leftOut, CancellationToken cancellation)
    {
        long start = Stopwatch.GetTimestamp();
        double loss = 0;
        (int samples, int answers, int exact) = (0, 0, 0);
        foreach (StepSamples pack in packs)
        {
            foreach (LeftOutSample sample in pack.LeftOut)
                leftOut(sample);
            foreach (SampleScore score in trainer.Score(pack.Samples, cancellation))
            {
                loss += score.Loss;
                samples++;
                (answers, exact) = (answers + score.Answers, exact + score.ExactAnswers);
            }
        }

        return samples == 0 ? null : new HeldOutScore(trainer.Steps, loss / samples, samples, answers, exact, Stopwatch.GetElapsedTime(start).TotalSeconds);
    }

    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture, $"after step {Step}: held-out loss {Loss:F4}, {ExactAnswers} of {Answers} answers exact ({(double)ExactAnswers / Math.Max(1, Answers):P1})");
}
