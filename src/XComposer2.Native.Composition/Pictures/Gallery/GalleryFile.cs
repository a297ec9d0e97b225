namespace XComposer2.Native.Composition.Pictures;

/// <summary>Reads files of a gallery: only regular ones, and only as much as is allowed.</summary>
internal static class GalleryFile
{
    /// <summary>The whole file.</summary>
    /// <exception cref="IOException">Empty, over the limit, no regular file, or unreadable; the message has no path.</exception>
    /// <exception cref="UnauthorizedAccessException">The file must not be read.</exception>
    public static byte[] Read(string path, long maxBytes)
    {
        FileInfo named = new(path);
        if (named.LinkTarget is not null)
            throw new IOException("is a link");
        // Asked of the name before it is opened: opening a named pipe would wait for its writer for ever.
        if (!named.Exists || named.Length == 0)
            throw new IOException(named.Exists ? "the file is empty" : "no such file");
        using FileStream stream = new(path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete, bufferSize: 0);
        if (stream.Length > maxBytes)
            throw new IOException($"the file has {stream.Length} bytes, the limit is {maxBytes}");
        byte[] bytes = GC.AllocateUninitializedArray<byte>((int)stream.Length);
        stream.ReadExactly(bytes);
        return bytes;
    }

    /// <summary>Reads the beginning of a text file.</summary>
    public static byte[] ReadBeginning(string path, int maxBytes)
    {
        FileInfo named = new(path);
        if (named.LinkTarget is not null || !named.Exists || named.Length == 0)
            return [];
        using FileStream stream = new(path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete, bufferSize: 0);
        byte[] bytes = new byte[Math.Min(stream.Length, maxBytes)];
        return bytes.AsSpan(0, stream.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false)).ToArray();
    }
}
