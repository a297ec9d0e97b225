using System.Text;

namespace XComposer2.Native.EvaluationTests;

/// <summary>A folder for one test, with data sets in it.</summary>
internal sealed class DataFolder : IDisposable
{
    public DataFolder() => Directory.CreateDirectory(Path);

    public string Path { get; } = System.IO.Path.Combine(System.IO.Path.GetTempPath(), $"xc2-eval-{Guid.NewGuid():N}");

    /// <summary>The smallest picture: one black pixel, as base64 with more than 64 characters.</summary>
    public static string Picture => "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGNgYGAAAAAEAAH2FzhVAAAAAElFTkSuQmCC";

    public string File(string name) => System.IO.Path.Combine(Path, name);

    public string Write(string name, string text)
    {
        System.IO.File.WriteAllText(File(name), text, new UTF8Encoding(false));
        return File(name);
    }

    /// <summary>A TSV file; cells are written as they are.</summary>
    public string Table(string name, string[] header, params string[][] rows) =>
        Write(name, string.Join('\n', [string.Join('\t', header), .. rows.Select(row => string.Join('\t', row))]) + "\n");

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
