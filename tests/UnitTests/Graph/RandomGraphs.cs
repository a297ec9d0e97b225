using XComposer2.Native.Graph;

namespace XComposer2.Native.UnitTests;

/// <summary>Random directed graphs of linears, norms and gates with random sizes, skips of any length and several outputs.</summary>
public static class RandomGraphs
{
    public static ComputeGraph Make(int seed)
    {
        var random = new Random(seed);
        int tokens = random.Next(1, 70);
        var builder = new GraphBuilder($"random {seed}", new RowCounts(tokens, random.Next(1, tokens + 1), 0));
        int[] widths = [.. Enumerable.Range(0, random.Next(1, 5)).Select(_ => random.Next(1, 200))];
        var all = new List<Tensor>();
        foreach (int width in widths)
            all.Add(builder.Input($"in.{all.Count}", DType.F32, RowExtent.Tokens, width));
        Tensor rows = builder.Input("rows", DType.I32, RowExtent.Logits);
        var unread = new HashSet<Tensor>();

        int steps = random.Next(1, 40);
        for (int step = 0; step < steps; step++)
        {
            Tensor input = Pick();
            unread.Remove(input);
            int columns = builder[input].Shape[1];
            int outputs = widths[random.Next(widths.Length)];
            Tensor output = random.Next(4) switch
            {
                0 => builder.RmsNorm(input, builder.Weight($"norm.{columns}", DType.F32, new Shape(columns)), 1e-5f),
                1 => builder.GatedLinear(input, Matrix(outputs, columns), Matrix(outputs, columns)),
                2 => builder.Linear(input, Matrix(outputs, columns), residual: Residual(builder[input].Rows, outputs)),
                _ when builder[input].Rows == RowExtent.Tokens => builder.SelectRows(input, rows),
                _ => builder.Linear(input, Matrix(outputs, columns)),
            };
            all.Add(output);
            unread.Add(output);
            if (random.Next(10) == 0)
                builder.MarkOutput(output);
        }

        foreach (Tensor tensor in unread)
            builder.MarkOutput(tensor);
        return builder.Build();

        // Half of the picks are recent, as in real networks; the others create long lifetimes.
        Tensor Pick() => random.Next(2) == 0 ? all[random.Next(Math.Max(0, all.Count - 3), all.Count)] : all[random.Next(all.Count)];

        Tensor Matrix(int outputs, int columns) => builder.Weight($"w.{outputs}.{columns}", DType.BF16, new Shape(outputs, columns));

        Tensor? Residual(RowExtent extent, int columns)
        {
            Tensor candidate = Pick();
            if (builder[candidate].Rows != extent || builder[candidate].Shape[1] != columns)
                return null;
            unread.Remove(candidate);
            return candidate;
        }
    }

    /// <summary>Random scratch for about half of the operations, deterministic in seed and output.</summary>
    public static Func<Operation, long> Scratch(int seed) => operation =>
    {
        var random = new Random((seed * 7919) + operation.Output.Index);
        return random.Next(2) == 0 ? 0 : random.Next(1, 20_000);
    };
}
