namespace XComposer2.Native.Cli;

/// <summary>Which checkpoint is meant.</summary>
/// <param name="Path">The folder.</param>
/// <param name="IsDemo">It is the demo, because nothing else was named.</param>
internal readonly record struct ModelFolder(string Path, bool IsDemo)
{
    public const string VariableName = "XC2_MODEL";

    private const string DemoPath = "tools/demo/checkpoint";

    /// <param name="named">From the command line; null for none.</param>
    /// <param name="variable">Reads an environment variable.</param>
    /// <param name="programFolder">The demo is looked for here and in every folder above.</param>
    /// <exception cref="UsageException">No model is named, and the demo is not there.</exception>
    public static ModelFolder Choose(string? named, Func<string, string?> variable, string programFolder)
    {
        if (named is not null)
            return new ModelFolder(named, false);
        if (variable(VariableName) is { Length: > 0 } fromVariable)
            return new ModelFolder(fromVariable, false);
        for (DirectoryInfo? folder = new(programFolder); folder is not null; folder = folder.Parent)
            if (System.IO.Path.Combine(folder.FullName, DemoPath) is { } demo && Directory.Exists(demo))
                return new ModelFolder(demo, true);
        throw new UsageException($"no model: name a checkpoint folder with --model or in {VariableName} (the demo, {DemoPath}, is not beside this program)");
    }
}
