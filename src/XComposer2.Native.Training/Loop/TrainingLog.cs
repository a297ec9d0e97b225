using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;

namespace XComposer2.Native.Training;

/// <summary>The metrics of a run, a line of JSON for each step. A resumed run keeps the lines of the steps that its state has, and writes the others again.</summary>
internal sealed class TrainingLog : IDisposable
{
    public const string FileName = "metrics.jsonl";

    private readonly FileStream file;

    /// <param name="folder">Of the run.</param>
    /// <param name="steps">Lines that are kept.</param>
    public TrainingLog(string folder, int steps)
    {
        file = new FileStream(Path.Combine(folder, FileName), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.Read);
        file.SetLength(EndOf(steps));
        file.Seek(0, SeekOrigin.End);
    }

    public void Write(TrainingStep step)
    {
        JsonObject line = new()
        {
            ["step"] = step.Step,
            ["loss"] = step.Loss,
            ["gradient_norm"] = step.GradientNorm,
            ["rate"] = step.Rate,
            ["samples"] = step.Samples,
            ["tokens"] = step.Tokens,
            ["seconds"] = Math.Round(step.Seconds, 3),
        };
        file.Write(Encoding.UTF8.GetBytes(line.ToJsonString() + "\n"));
        file.Flush();
    }

    public void Dispose() => file.Dispose();

    // A line that a killed run left unfinished is not one.
    private long EndOf(int lines)
    {
        long end = 0;
        for (int found = 0, value; found < lines && (value = file.ReadByte()) >= 0;)
            if (value == '\n')
                (end, found) = (file.Position, found + 1);
        return end;
    }
}

/// <summary>What a step was.</summary>
/// <param name="Step">1 for the first one.</param>
/// <param name="Steps">All steps of the run.</param>
/// <param name="Loss">Mean over the step's samples of their mean losses.</param>
/// <param name="GradientNorm">Before clipping.</param>
/// <param name="Rate">Highest learning rate of the step.</param>
/// <param name="Samples">That were learnt; others were left out.</param>
/// <param name="Tokens">Positions, rows of pictures among them.</param>
/// <param name="Seconds">That it took.</param>
public sealed record TrainingStep(int Step, int Steps, double Loss, double GradientNorm, double Rate, int Samples, long Tokens, double Seconds)
{
    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture, $"step {Step} of {Steps}: loss {Loss:F4}, gradient norm {GradientNorm:F4}, rate {Rate:g3}, {Tokens / Math.Max(Seconds, 1e-9):F0} tokens/s");
}
