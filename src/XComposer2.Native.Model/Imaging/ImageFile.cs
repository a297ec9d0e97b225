namespace XComposer2.Native.Model;

/// <summary>Reads encoded pictures from files and streams, up to a size limit.</summary>
public static class ImageFile
{
    private const int FirstBytes = 64 << 10;

    /// <summary>Reads a regular file. Pipes and devices are rejected; use <see cref="Read(Stream, string, ImageLimits)"/> for them.</summary>
    /// <exception cref="ImageException">The file is unreadable or too large.</exception>
    public static byte[] Read(string path, ImageLimits limits)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        try
        {
            if (Directory.Exists(path)) throw ImageException.For(path, "is a folder, not a picture");
            if (!Path.Exists(path)) throw ImageException.For(path, "no such file");
            FileInfo named = new(path);
            // The size is taken from the directory entry: opening a named pipe blocks until a writer appears, and a device has no end.
            FileInfo file = named.ResolveLinkTarget(returnFinalTarget: true) as FileInfo ?? named;
            if (file.Length == 0) throw ImageException.For(path, "the file is empty, or not a plain file");
            using FileStream stream = new(path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete, bufferSize: 0);
            limits.CheckFileBytes(stream.Length, path);
            byte[] bytes = GC.AllocateUninitializedArray<byte>((int)Math.Min(stream.Length, Array.MaxLength));
            stream.ReadExactly(bytes);
            return bytes;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or NotSupportedException or ArgumentException)
        {
            throw new ImageException($"{path}: cannot be read: {error.Message}", error);
        }
    }

    /// <summary>Reads a stream to the end.</summary>
    /// <param name="stream">Of unknown length.</param>
    /// <param name="name">Name of the picture in messages.</param>
    /// <param name="limits">Maximum file size.</param>
    /// <exception cref="ImageException">The data is unreadable or too large.</exception>
    public static byte[] Read(Stream stream, string name, ImageLimits limits)
    {
        ArgumentNullException.ThrowIfNull(stream);
        byte[] buffer = new byte[FirstBytes];
        int length = 0;
        try
        {
            for (int read; (read = stream.Read(buffer, length, buffer.Length - length)) > 0;)
            {
                length += read;
                if (length > limits.MaxFileBytes) throw ImageException.For(name, $"has more than {limits.MaxFileBytes} bytes, the limit");
                if (length == buffer.Length) Array.Resize(ref buffer, (int)Math.Min(2L * length, Array.MaxLength));
            }
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new ImageException($"{name}: cannot be read: {error.Message}", error);
        }
        if (length == 0) throw ImageException.For(name, "is empty");
        return buffer[..length];
    }
}
