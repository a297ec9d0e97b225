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
