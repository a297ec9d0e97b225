using System.Text;
using XComposer2.Native.Composition;
using XComposer2.Native.Model;

namespace XComposer2.Native.Cli;

/// <summary>A picture's path as a person gives it.</summary>
internal static class PictureFile
{
    /// <summary>Told at once, rather than after a model was loaded.</summary>
    /// <exception cref="IOException">No such file, or a folder.</exception>
    public static void RequireExists(string path)
    {
        if (Directory.Exists(path))
            throw new IOException($"{path}: is a folder, not a picture");
        if (!File.Exists(path))
            throw new FileNotFoundException($"{path}: no such file");
    }

    /// <summary>Undoes what a shell would have undone: quotes, and a leading ~/.</summary>
    public static string Unquote(string typed)
    {
        string path = typed.Trim();
        if (path.Length >= 2 && path[0] is '"' or '\'' && path[^1] == path[0])
            return path[1..^1];
        return path.StartsWith("~/", StringComparison.Ordinal)
            ? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), path[2..])
            : path;
    }
}

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

/// <summary>A text that a user names, for a prompt.</summary>
internal static class TextFile
{
    private const int MaximumBytes = 1 << 20;

    private static readonly UTF8Encoding strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <exception cref="IOException">No such file, too long, or not UTF-8.</exception>
    public static string Read(string path)
    {
        if (Directory.Exists(path))
            throw new IOException($"{path}: is a folder, not a text");
        if (!File.Exists(path))
            throw new FileNotFoundException($"{path}: no such file");
        byte[] bytes = ReadBounded(path);
        try
        {
            string text = strict.GetString(bytes);
            return text.StartsWith('\uFEFF') ? text[1..] : text;
        }
        catch (DecoderFallbackException)
        {
            throw new IOException($"{path}: not a text in UTF-8");
        }
    }

    /// <summary>A pipe is a text too: its length is not known beforehand.</summary>
    private static byte[] ReadBounded(string path)
    {
        using FileStream file = new(path, FileMode.Open, FileAccess.Read);
        byte[] buffer = new byte[MaximumBytes + 1];
        int length = file.ReadAtLeast(buffer, buffer.Length, throwOnEndOfStream: false);
        return length <= MaximumBytes ? buffer[..length] : throw new IOException($"{path}: the text is longer than {MaximumBytes} bytes");
    }
}
