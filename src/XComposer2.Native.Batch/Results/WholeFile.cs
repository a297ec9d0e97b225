namespace XComposer2.Native.Batch;

/// <summary>Files that appear whole or not at all.</summary>
internal static class WholeFile
{
    /// <summary>Writes a file under another name, flushes it to disk and renames it. Replaces an earlier file; a folder or a link in its place is refused.</summary>
    /// <exception cref="BatchException">It cannot be written; the message names it.</exception>
    public static void Write(string path, Action<Stream> write)
    {
        // Random, and created exclusively: a planted link is never written through.
        string temporary = $"{path}.{Guid.NewGuid():N}.tmp";
        try
        {
            if (Directory.Exists(path))
                throw new BatchException($"{path}: is a folder; a file is to be written there");
            using (FileStream stream = new(temporary, FileMode.CreateNew, FileAccess.Write, FileShare.None))
            {
                write(stream);
                stream.Flush(flushToDisk: true);
            }

            File.Move(temporary, path, overwrite: true);
        }
        catch (Exception error) when (IsRefused(error))
        {
            Remove(temporary);
            throw Refused(path, error);
        }
        catch
        {
            Remove(temporary);
            throw;
        }
    }

    /// <summary>Whether a file system has refused to open, write or rename. A file of the largest size that it allows is an argument out of range to .NET.</summary>
    public static bool IsRefused(Exception error) => error is IOException or UnauthorizedAccessException or NotSupportedException or ArgumentOutOfRangeException;

    public static BatchException Refused(string path, Exception error) => new($"{path}: cannot be written: {error.Message}", error);

    private static void Remove(string temporary)
    {
        try
        {
            File.Delete(temporary);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            // The first failure is the one to report.
        }
    }
}
