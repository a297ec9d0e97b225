namespace XComposer2.Native.Composition;

/// <summary>Files of a folder that came from elsewhere: only ordinary ones, and not over a limit.</summary>
internal static class BoundedFile
{
    /// <exception cref="ArticleFileException">It is missing, no ordinary file, empty, or too large.</exception>
    public static FileInfo Require(string path, long limitBytes)
    {
        if (Directory.Exists(path))
            throw new ArticleFileException($"{path}: is a folder, not a file");
        var file = new FileInfo(path);
        if (file.LinkTarget is not null)
            throw new ArticleFileException($"{path}: is a link");
        if (!file.Exists)
            throw new ArticleFileException($"{path}: no such file");

        // Asked before it is opened: opening a named pipe would wait for its writer for ever, and a device never ends; both have no length.
        if (file.Length == 0)
            throw new ArticleFileException($"{path}: the file is empty");
        if (file.Length > limitBytes)
            throw new ArticleFileException($"{path}: the file has {file.Length} bytes, the limit is {limitBytes}");
        return file;
    }

    /// <inheritdoc cref="Require"/>
    public static byte[] Read(string path, long limitBytes)
    {
        Require(path, limitBytes);
        using FileStream stream = new(path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete, bufferSize: 0);
        byte[] bytes = GC.AllocateUninitializedArray<byte>(checked((int)Math.Min(stream.Length, limitBytes)));
        stream.ReadExactly(bytes);
        return bytes;
    }
}
