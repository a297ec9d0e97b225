using System.Globalization;
using System.Text;
using System.Text.Json;
using XComposer2.Native.Cpu;

namespace XComposer2.Native.HostBench;

/// <summary>Writes a run as a Markdown table and as JSON. Neither contains the machine's name or a path.</summary>
internal sealed class LinearReport(int threads, string? openBlas, double handOverMicroseconds, IReadOnlyList<LinearResult> results)
{
    public string ToMarkdown()
    {
        var text = new StringBuilder();
        text.AppendLine(CultureInfo.InvariantCulture, $"# Linears on {ProcessorInfo.Model}, {ProcessorInfo.Instructions}, integers with {DotInstructionSets.Best.Name()}, {threads} threads");
        text.AppendLine();
        text.AppendLine(CultureInfo.InvariantCulture, $"{ProcessorInfo.Runtime}. OpenBLAS: {openBlas ?? "NOT INSTALLED, no comparison"}.");
        text.AppendLine(CultureInfo.InvariantCulture, $"Dispatching a job to all threads and waiting for it: {handOverMicroseconds:f1} microseconds.");
        Append(text, "Few rows: GB/s of weights, relative to read bandwidth", "GB/s", "memory", results.Where(result => result.Shape.IsStream));
        Append(text, "Many rows: GFLOP/s, relative to fused multiply-adds in registers, or of integer weights to integer products in registers", "GFLOP/s", "peak", results.Where(result => !result.Shape.IsStream));
        return text.ToString();
    }

    public void WriteJson(string path)
    {
        using FileStream stream = File.Create(path);
        using var json = new Utf8JsonWriter(stream, new JsonWriterOptions { Indented = true });
        json.WriteStartObject();
        json.WriteString("processor", ProcessorInfo.Model);
        json.WriteString("instructions", ProcessorInfo.Instructions);
        json.WriteString("integer_instructions", DotInstructionSets.Best.Name());
        json.WriteString("runtime", ProcessorInfo.Runtime);
        json.WriteNumber("threads", threads);
        json.WriteString("openblas", openBlas);
        json.WriteNumber("hand_over_microseconds", Math.Round(handOverMicroseconds, 2));
        json.WriteStartArray("results");
        foreach (LinearResult result in results)
            Write(json, result);
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void Append(StringBuilder text, string title, string unit, string yardstick, IEnumerable<LinearResult> results)
    {
        text.AppendLine();
        text.AppendLine(CultureInfo.InvariantCulture, $"## {title}");
        text.AppendLine();
        text.AppendLine(CultureInfo.InvariantCulture, $"| {"linear",-27} | rows | {"inputs -> outputs",-17} | weights | {unit,7} | {yardstick,6} | ratio | lowest to highest | rounds | of OpenBLAS |");
        text.AppendLine("|---|--:|---|---|--:|--:|--:|---|--:|--:|");
        foreach (LinearResult result in results)
        {
            LinearShape shape = result.Shape;
            string sizes = $"{shape.Inputs} -> {(shape.Gated ? "2 x " : "")}{shape.Outputs}";
            string spread = string.Create(CultureInfo.InvariantCulture, $"{result.Lowest:f2} to {result.Highest:f2}");
            string peer = result.OfOpenBlas is { } ratio ? ratio.ToString("f2", CultureInfo.InvariantCulture) : "";
            text.AppendLine(
                CultureInfo.InvariantCulture,
                $"| {shape.Name,-27} | {shape.Rows,4} | {sizes,-17} | {shape.Weights,-11} | {result.Rate,7:f1} | {result.Yardstick,6:f1} | {result.OfYardstick,5:f2} | {spread,-17} | {result.Undisturbed,6} | {peer,11} |");
        }
    }

    private static void Write(Utf8JsonWriter json, LinearResult result)
    {
        LinearShape shape = result.Shape;
        json.WriteStartObject();
        json.WriteString("linear", shape.Name);
        json.WriteNumber("rows", shape.Rows);
        json.WriteNumber("inputs", shape.Inputs);
        json.WriteNumber("outputs", shape.Outputs);
        json.WriteString("type", shape.Weights);
        json.WriteBoolean("gated", shape.Gated);
        json.WriteNumber("visual_rows", shape.VisualRows);
        json.WriteNumber("rank", shape.Rank);
        json.WriteString("unit", shape.IsStream ? "GB/s" : "GFLOP/s");
        json.WriteNumber("rate", Math.Round(result.Rate, 2));
        json.WriteNumber("yardstick", Math.Round(result.Yardstick, 2));
        json.WriteNumber("of_yardstick", Math.Round(result.OfYardstick, 3));
        json.WriteNumber("of_yardstick_lowest", Math.Round(result.Lowest, 3));
        json.WriteNumber("of_yardstick_highest", Math.Round(result.Highest, 3));
        json.WriteNumber("undisturbed_rounds", result.Undisturbed);
        if (result.OpenBlasRate is { } rate && result.OfOpenBlas is { } ratio)
        {
            json.WriteNumber("openblas_rate", Math.Round(rate, 2));
            json.WriteNumber("of_openblas", Math.Round(ratio, 3));
        }

        json.WriteEndObject();
    }
}
