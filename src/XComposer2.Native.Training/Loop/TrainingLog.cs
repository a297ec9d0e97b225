using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using XComposer2.Native.Model;

namespace XComposer2.Native.Training;

/// <summary>The metrics of a run: a line of JSON for each step and for each score of the held-out samples, and all of them as a curve. A resumed run keeps the lines of the steps that
/// its state has, and writes the others again.</summary>
internal sealed class TrainingLog : IDisposable
{
    public const string FileName = "metrics.jsonl", CurveName = "curve.svg";

    private readonly string folder;
    private readonly FileStream file;
    private readonly TrainingCurve curve = new();

    /// <param name="folder">Of the run.</param>
    /// <param name="steps">Steps whose lines are kept.</param>
    public TrainingLog(string folder, int steps)
    {
        this.folder = folder;
        string path = Path.Combine(folder, FileName);
        long end = File.Exists(path) ? Read(File.ReadAllBytes(path), steps) : 0;
        file = new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.Read);
        file.SetLength(end);
        file.Seek(0, SeekOrigin.End);
    }

    /// <summary>Steps after which held-out samples were scored last; -1 for never.</summary>
    public int LastScored => curve.LastScored;

    public void Write(TrainingStep step)
    {
        curve.Add(step.Step, step.Loss, step.Rate);
        Write(new JsonObject
        {
            ["step"] = step.Step,
            ["loss"] = step.Loss,
            ["gradient_norm"] = step.GradientNorm,
            ["rate"] = step.Rate,
            ["samples"] = step.Samples,
            ["tokens"] = step.Tokens,
            ["seconds"] = Math.Round(step.Seconds, 3),
        });
    }

    public void Write(HeldOutScore score)
    {
        curve.AddHeldOut(score.Step, score.Loss, (double)score.ExactAnswers / Math.Max(1, score.Answers));
        Write(new JsonObject
        {
            ["step"] = score.Step,
            ["held_out_loss"] = score.Loss,
            ["held_out_samples"] = score.Samples,
            ["answers"] = score.Answers,
            ["exact_answers"] = score.ExactAnswers,
            ["seconds"] = Math.Round(score.Seconds, 3),
        });
    }

    /// <summary>Writes the curve, which appears whole.</summary>
    public void Draw() => WrittenFolder.Publish(Path.Combine(folder, CurveName), stream => stream.Write(Encoding.UTF8.GetBytes(curve.ToSvg())));

    public void Dispose() => file.Dispose();

    private void Write(JsonObject line)
    {
        file.Write(Encoding.UTF8.GetBytes(line.ToJsonString() + "\n"));
        file.Flush();
    }

    // The end of the lines that are kept. A line that a killed run left unfinished is not one.
    private long Read(byte[] bytes, int steps)
    {
        int end = 0;
        for (int next; (next = bytes.AsSpan(end).IndexOf((byte)'\n')) >= 0; end += next + 1)
        {
            try
            {
                JsonNode line = JsonNode.Parse(bytes.AsSpan(end, next))!;
                int step = line["step"]!.GetValue<int>();
                if (step > steps)
                    break;
                if (line["loss"] is { } loss)
                    curve.Add(step, loss.GetValue<double>(), line["rate"]!.GetValue<double>());
                else
                    curve.AddHeldOut(step, line["held_out_loss"]!.GetValue<double>(), line["exact_answers"]!.GetValue<double>() / Math.Max(1, line["answers"]!.GetValue<double>()));
            }
            catch (Exception error) when (error is JsonException or NullReferenceException or InvalidOperationException or FormatException)
            {
                break;
            }
        }

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
