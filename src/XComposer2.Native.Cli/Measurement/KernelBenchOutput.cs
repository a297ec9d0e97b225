using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace XComposer2.Native.Cli;

/// <summary>Where the report of <c>xc2 bench kernels</c> goes: text on standard output, and JSON there instead or into a file beside it.</summary>
/// <param name="console">The standard streams.</param>
/// <param name="json">JSON is wanted.</param>
/// <param name="file">The file for it; null for standard output.</param>
internal sealed class KernelBenchOutput(CliConsole console, bool json, string? file)
{
    /// <summary>Finds out before minutes are spent.</summary>
    /// <exception cref="IOException">The file's folder is missing.</exception>
    public void RequireWritable()
    {
        if (file is not null && Path.GetDirectoryName(Path.GetFullPath(file)) is { } folder && !Directory.Exists(folder))
            throw new DirectoryNotFoundException($"--json: there is no folder {folder}");
    }

    public void Write(KernelBenchJson report) => Write(report, CliJson.Indented.KernelBenchJson, text => text.Write(report));

    public void Write(KernelCaseListJson list) => Write(list, CliJson.Indented.KernelCaseListJson, text => text.Write(list));

    private void Write<T>(T report, JsonTypeInfo<T> type, Action<KernelBenchText> forPeople)
    {
        if (json && file is null)
        {
            console.Out.WriteLine(JsonSerializer.Serialize(report, type));
            return;
        }

        forPeople(new KernelBenchText(console.RichOut()));
        if (file is not null)
            WriteFile(JsonSerializer.Serialize(report, type));
    }

    // Whole or not at all.
    private void WriteFile(string text)
    {
        string unfinished = $"{file}.part";
        File.WriteAllText(unfinished, text + "\n");
        File.Move(unfinished, file!, overwrite: true);
    }
}
