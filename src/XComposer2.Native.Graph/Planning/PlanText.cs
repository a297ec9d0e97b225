using System.Globalization;
using System.Text;

namespace XComposer2.Native.Graph;

/// <summary>Prints a plan as an aligned table for readers and golden files: one line per operation, and one for its scratch.</summary>
public static class PlanText
{
    private static readonly CompositeFormat Footer = CompositeFormat.Parse(
        "{0} buffers, {1} bytes in all; at most {2} bytes live at once (step {3}); arena {4} bytes\n");

    /// <summary>Lines end with a line feed on every system, so that files are comparable.</summary>
    public static string Write(ExecutionPlan plan)
    {
        ArgumentNullException.ThrowIfNull(plan);
        ComputeGraph graph = plan.Graph;
        var rows = new List<string[]> { Columns };
        (int buffers, long totalBytes) = (0, 0);
        for (int step = 0; step < graph.Operations.Length; step++)
        {
            Operation operation = graph.Operations[step];
            TensorSpec output = graph[operation.Output];
            string kind = output.Role == TensorRole.Output ? operation.Name + " (output)" : operation.Name;
            if (plan.Liveness[operation.Output] is { } live && live.First == step)
                Add(Number(step), kind, output.Name, $"{output.Type} {output.Shape}", plan.SlotOf(operation.Output), live);
            else
                rows.Add([Number(step), kind, output.Name, $"{output.Type} {output.Shape}", "added to", string.Empty, string.Empty]);
            if (plan.ScratchOf(step) is { Bytes: > 0 } scratch)
                Add(string.Empty, "scratch", string.Empty, string.Empty, scratch, new LiveRange(step, step));
        }

        var text = new StringBuilder();
        (int tokens, int logits, int images) = graph.Capacity;
        text.Append(CultureInfo.InvariantCulture, $"{graph.Name}: at most {tokens} tokens, {logits} logits, {images} images\n");
        AppendTable(text, rows);
        text.AppendFormat(CultureInfo.InvariantCulture, Footer, buffers, totalBytes, plan.LowerBoundBytes, plan.PeakStep, plan.ArenaBytes);
        return text.ToString();

        void Add(string step, string operation, string name, string shape, ArenaSlot slot, LiveRange live)
        {
            rows.Add([step, operation, name, shape, Number(slot.OffsetBytes), Number(slot.Bytes), live.ToString()]);
            buffers++;
            totalBytes += slot.Bytes;
        }
    }

    private static string[] Columns => ["step", "operation", "name", "shape", "offset", "bytes", "live"];

    private static bool IsNumeric(int column) => column is 0 or 4 or 5;

    private static string Number(long value) => value.ToString(CultureInfo.InvariantCulture);

    private static void AppendTable(StringBuilder text, List<string[]> rows)
    {
        var widths = new int[rows[0].Length];
        foreach (string[] row in rows)
            for (int i = 0; i < row.Length; i++)
                widths[i] = Math.Max(widths[i], row[i].Length);

        foreach (string[] row in rows)
        {
            var line = new StringBuilder();
            for (int i = 0; i < row.Length; i++)
                line.Append(IsNumeric(i) ? row[i].PadLeft(widths[i]) : row[i].PadRight(widths[i])).Append("  ");
            text.Append(line.ToString().AsSpan().TrimEnd()).Append('\n');
        }
    }
}
