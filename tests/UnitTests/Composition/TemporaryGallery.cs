namespace XComposer2.Native.UnitTests;

/// <summary>A copy of a picture folder, so that no index is written to the repository.</summary>
internal sealed class TemporaryGallery : IDisposable
{
    public TemporaryGallery(string folder)
    {
        foreach (string file in Directory.EnumerateFiles(folder, "*.png"))
            File.Copy(file, System.IO.Path.Combine(Path, System.IO.Path.GetFileName(file)));
    }

    public string Path { get; } = Directory.CreateTempSubdirectory("xc2-gallery").FullName;

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
