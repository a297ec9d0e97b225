namespace XComposer2.Native.Composition.Pictures;

/// <summary>A picture file in a gallery, as the folder lists it.</summary>
/// <param name="Path">Within the gallery, with '/' between its parts.</param>
/// <param name="FileBytes">Size.</param>
/// <param name="ModifiedTicks">Time of the last change, UTC.</param>
internal sealed record FoundPicture(string Path, long FileBytes, long ModifiedTicks)
{
    /// <summary>The folder's path within the gallery, empty or ending with '/'.</summary>
    public string Folder => Path[..(Path.LastIndexOf('/') + 1)];

    /// <summary>The file's name without its ending.</summary>
    public string Stem => System.IO.Path.GetFileNameWithoutExtension(Path);
}
