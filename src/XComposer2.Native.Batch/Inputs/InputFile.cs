namespace XComposer2.Native.Batch;

/// <summary>Opens input files and reads their lines; errors name the file.</summary>
internal static class InputFile
{
    /// <exception cref="BatchException">It is missing, a folder, a pipe, or unreadable.</exception>
    public static FileStream Open(string path)
    {
        try
        {
            if (Directory.Exists(path))
                throw new BatchException($"{path}: expected a file, found a folder");
            if (!Path.Exists(path))
                throw new BatchException($"{path}: no such file or folder");
            FileInfo named = new(path);
            FileInfo file = named.ResolveLinkTarget(returnFinalTarget: true) as FileInfo ?? named;
            // Opening a named pipe would wait for a writer.
            if (file.Length == 0)
                throw new BatchException($"{path}: the file is empty, or not a plain file");
            return new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete, bufferSize: 64 << 10);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or NotSupportedException)
        {
            throw new BatchException($"{path}: cannot be read: {error.Message}", error);
        }
    }

    /// <summary>Lines that are not blank.</summary>
    public static IEnumerable<ByteLine> Lines(string path, Stream file, int maximumLineBytes, CancellationToken cancellation)
    {
        var lines = new ByteLines(file, maximumLineBytes);
        while (Next(path, lines) is { } line)
        {
            cancellation.ThrowIfCancellationRequested();
            if (line.IsTooLong || !IsBlank(line.Bytes.Span))
                yield return line.Number == 1 ? line with { Bytes = WithoutMark(line.Bytes) } : line;
        }
    }

    /// <exception cref="BatchException">It cannot be read.</exception>
    public static long CountLines(string path, int maximumLineBytes, CancellationToken cancellation)
    {
        using FileStream file = Open(path);
        return Lines(path, file, maximumLineBytes, cancellation).LongCount();
    }

    /// <summary>The folder that paths in a file are relative to.</summary>
    public static string FolderOf(string path) => Path.GetDirectoryName(path) ?? "";

    private static ByteLine? Next(string path, ByteLines lines)
    {
        try
        {
            return lines.Next();
        }
        catch (IOException error)
        {
            throw new BatchException($"{path}: cannot be read: {error.Message}", error);
        }
    }

    private static bool IsBlank(ReadOnlySpan<byte> line) => line.TrimStart(" \t\r"u8).IsEmpty;

    private static ReadOnlyMemory<byte> WithoutMark(ReadOnlyMemory<byte> line) => line.Span.StartsWith("\uFEFF"u8) ? line[3..] : line;
}
