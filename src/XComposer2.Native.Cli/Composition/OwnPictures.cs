using XComposer2.Native.Composition;
using XComposer2.Native.Model;

namespace XComposer2.Native.Cli;

/// <summary>Pictures that a user names, read and decoded before a model is loaded.</summary>
internal static class OwnPictures
{
    /// <exception cref="IOException">No such file, or it is too large.</exception>
    /// <exception cref="ImageException">It is damaged, or no picture.</exception>
    public static ArticlePicture Read(string path)
    {
        PictureFile.RequireExists(path);
        long bytes = new FileInfo(path).Length;
        if (bytes > ImageLimits.Default.MaxFileBytes)
            throw new IOException($"{path}: the file has {bytes} bytes, the limit is {ImageLimits.Default.MaxFileBytes}");
        return ArticlePicture.Own(path, File.ReadAllBytes(path));
    }
}
