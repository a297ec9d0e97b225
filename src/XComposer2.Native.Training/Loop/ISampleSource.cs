using System.Text.Json.Nodes;

namespace XComposer2.Native.Training;

/// <summary>
/// Where the samples of a run come from: files, or a generator. The samples of a step depend on its number alone, so that a run that was stopped goes on with the same ones.
/// Implementations are safe to call from several threads: a run asks for the next step while it learns this one.
/// </summary>
public interface ISampleSource
{
    /// <summary>What decides the samples: kept in the state of a run, which is refused where a value differs. Small, and of plain values.</summary>
    JsonObject Settings { get; }

    /// <summary>The samples of a step, pictures decoded.</summary>
    /// <param name="number">Of the step; 0 for the first one.</param>
    /// <param name="cancellation">Takes effect between samples.</param>
    StepSamples SamplesOf(int number, CancellationToken cancellation = default);
}

/// <summary>The samples of a step.</summary>
/// <param name="Samples">To learn from.</param>
/// <param name="LeftOut">Those that cannot be learnt from.</param>
public sealed record StepSamples(IReadOnlyList<PreparedSample> Samples, IReadOnlyList<LeftOutSample> LeftOut);

/// <summary>A sample that cannot be learnt from.</summary>
/// <param name="Number">In its source; the same sample has the same number in each pass.</param>
/// <param name="Reason">Names the sample, what was expected and what was found.</param>
public readonly record struct LeftOutSample(long Number, string Reason);
