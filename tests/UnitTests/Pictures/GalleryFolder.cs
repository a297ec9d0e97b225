using XComposer2.Native.Composition.Pictures;
using Xunit;

namespace XComposer2.Native.UnitTests;

/// <summary>A temporary gallery on disk with its own cache folder.</summary>
internal sealed class GalleryFolder : IDisposable
{
    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("xc2-gallery-");

    public GalleryFolder()
    {
        Root = Directory.CreateDirectory(Path.Combine(folder.FullName, "pictures")).FullName;
        Outside = Directory.CreateDirectory(Path.Combine(folder.FullName, "outside")).FullName;
        Options = new GalleryOptions { CacheFolder = Path.Combine(folder.FullName, "cache") };
    }

    public string Root { get; }

    /// <summary>A folder beside the gallery.</summary>
    public string Outside { get; }

    public GalleryOptions Options { get; init; }

    public string IndexPath => Path.Combine(Root, ".xc2-gallery");

    public string PathOf(string path) => Path.Combine(Root, path);

    public void Add(string path, byte[] bytes)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(PathOf(path))!);
        File.WriteAllBytes(PathOf(path), bytes);
    }

    public void Add(string path, string text) => Add(path, System.Text.Encoding.UTF8.GetBytes(text));

    public Task<FolderImageSource> OpenAsync(IPictureModel model, GalleryOptions? options = null, IProgress<GalleryProgress>? progress = null, CancellationToken? cancellation = null) =>
        FolderImageSource.OpenAsync(Root, model, options ?? Options, progress, cancellation ?? TestContext.Current.CancellationToken);

    public void Dispose() => folder.Delete(recursive: true);
}
