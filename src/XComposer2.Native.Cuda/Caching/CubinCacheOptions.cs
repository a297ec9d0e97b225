namespace XComposer2.Native.Cuda;

/// <summary>Where compiled kernels are looked for and kept.</summary>
public sealed record CubinCacheOptions
{
    /// <summary>Folder to read and write; null for <c>XC2_CACHE</c> or the platform's.</summary>
    public string? Folder { get; init; }

    /// <summary>Folders to read first, made by another cache: what is there for source, target and options is taken whatever NVRTC made it.</summary>
    public IReadOnlyList<string> ShippedFolders { get; init; } = [];

    /// <summary>The folder <c>cubins</c> beside the program, whether or not it is there: where an image or an archive brings its kernels along.</summary>
    public static IReadOnlyList<string> BesideProgram => [Path.Combine(AppContext.BaseDirectory, CubinFolders.Cubins)];

    /// <summary>Told, in a sentence, what a user may want to know: that nothing can be kept, or that an entry was damaged. From any thread.</summary>
    public Action<string>? Notice { get; init; }
}
