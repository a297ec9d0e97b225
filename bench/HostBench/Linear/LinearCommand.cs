using XComposer2.Native.Cpu;

namespace XComposer2.Native.HostBench;

internal static class LinearCommand
{
    public static int Run(string[] args)
    {
        string? jsonPath = Option(args, "--json");
        string? markdownPath = Option(args, "--markdown");
        string? only = Option(args, "--only");
        int threads = int.TryParse(Option(args, "--threads"), out int asked) ? asked : Environment.ProcessorCount;

        LinearShape[] shapes = [.. LinearShapes.All.Where(shape => only is null || shape.Name.Contains(only, StringComparison.OrdinalIgnoreCase))];
        if (shapes.Length == 0)
        {
            Console.Error.WriteLine($"--only: no linear has '{only}' in its name; names are {string.Join(", ", LinearShapes.All.Select(shape => shape.Name).Distinct())}");
            return 2;
        }

        using var pool = new WorkerPool(threads);
        OpenBlas? openBlas = OpenBlas.TryLoad(threads);
        if (openBlas is null)
            Console.Error.WriteLine("*** OpenBLAS IS NOT INSTALLED: no comparison with it (Debian: libopenblas0) ***");
        if (Environment.GetEnvironmentVariable("OPENBLAS_CORETYPE") is { } coreType)
            Console.Error.WriteLine($"*** OPENBLAS_CORETYPE={coreType} selects OpenBLAS's kernels: unset it for a fair comparison ***");
        Console.Error.WriteLine($"OpenBLAS: {openBlas?.Description ?? "none"}");

        var results = new List<LinearResult>();
        using (var run = new LinearRun(pool, openBlas))
            foreach (LinearShape shape in shapes)
            {
                LinearResult result = run.Measure(shape);
                results.Add(result);
                Console.Error.WriteLine($"{shape.Name}, {shape.Rows} rows, {shape.Weights}: {result.OfYardstick:f2}");
            }

        var report = new LinearReport(threads, openBlas?.Description, HandOverProbe.Microseconds(pool), results);
        string table = report.ToMarkdown();
        Console.WriteLine(table);
        if (markdownPath is not null)
            File.WriteAllText(markdownPath, table);
        if (jsonPath is not null)
            report.WriteJson(jsonPath);
        return 0;
    }

    private static string? Option(string[] args, string name)
    {
        int index = Array.IndexOf(args, name);
        return index >= 0 && index + 1 < args.Length ? args[index + 1] : null;
    }
}
