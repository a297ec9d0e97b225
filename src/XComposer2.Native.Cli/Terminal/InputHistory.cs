using System.Text;

namespace XComposer2.Native.Cli;

/// <summary>Entered texts, oldest first. With a file, they outlive the process; others cannot read it.</summary>
internal sealed class InputHistory
{
    /// <summary>Entries that are kept.</summary>
    public const int MaximumEntries = 1000;

    /// <summary>Longer texts are not kept in the file.</summary>
    public const int MaximumCharacters = 20_000;

    /// <summary>Sets the file, or switches it off.</summary>
    public const string VariableName = "XC2_HISTORY";

    private const long MaximumFileBytes = 32L << 20;
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private readonly List<string> entries = [];

    public IReadOnlyList<string> Entries => entries;

    /// <summary>The file that new entries are added to; null for none.</summary>
    public string? Path { get; private set; }

    /// <summary>Why the file is not used; null if it is, or if none is wanted.</summary>
    public string? Problem { get; private set; }

    /// <summary>Where the history lies by default.</summary>
    /// <param name="variable">Reads an environment variable.</param>
    /// <returns>Null if <see cref="VariableName"/> is "off" or there is no home folder.</returns>
    public static string? DefaultPath(Func<string, string?> variable)
    {
        if (variable(VariableName) is { Length: > 0 } named)
            return named == "off" ? null : named;
        string? folder = variable("XDG_STATE_HOME") is { Length: > 0 } state && System.IO.Path.IsPathFullyQualified(state) ? state : null;
        if (folder is null)
        {
            string home = Environment.GetFolderPath(OperatingSystem.IsLinux() ? Environment.SpecialFolder.UserProfile : Environment.SpecialFolder.LocalApplicationData);
            if (home.Length == 0)
                return null;
            folder = OperatingSystem.IsLinux() ? System.IO.Path.Combine(home, ".local", "state") : home;
        }

        return System.IO.Path.Combine(folder, "xc2", "history");
    }

    /// <summary>Reads a history file, which need not exist yet.</summary>
    /// <param name="path">Null for a history of this process only.</param>
    public static InputHistory Open(string? path)
    {
        InputHistory history = new() { Path = path };
        history.Guard(() =>
        {
            if (!File.Exists(path))
                return;
            if (new FileInfo(path).Length > MaximumFileBytes)
                throw new IOException($"{path}: is larger than {MaximumFileBytes} bytes");
            string[] lines = File.ReadAllLines(path);
            foreach (string line in lines.TakeLast(MaximumEntries))
                history.Remember(Unescape(line));
            if (lines.Length > 2 * MaximumEntries)
                history.Rewrite();
        });
        return history;
    }

    /// <summary>Stops using the file; what it holds stays.</summary>
    public void Detach() => Path = null;

    /// <summary>Adds a text, unless it is blank, begins with a blank or repeats the last one.</summary>
    public void Add(string text)
    {
        if (string.IsNullOrWhiteSpace(text) || text[0] == ' ' || !Remember(text) || text.Length > MaximumCharacters)
            return;
        Guard(() =>
        {
            using FileStream file = OpenOwn(Path!, FileMode.Append);
            file.Write(Encoding.UTF8.GetBytes(Escape(text) + "\n"));
        });
    }

    private bool Remember(string text)
    {
        if (entries.Count > 0 && entries[^1] == text)
            return false;
        entries.Add(text);
        if (entries.Count > MaximumEntries)
            entries.RemoveAt(0);
        return true;
    }

    private void Rewrite()
    {
        string temporary = $"{Path}.{Environment.ProcessId}.tmp";
        using (FileStream file = OpenOwn(temporary, FileMode.CreateNew))
            file.Write(Encoding.UTF8.GetBytes(string.Concat(entries.Select(entry => Escape(entry) + "\n"))));
        File.Move(temporary, Path!, overwrite: true);
    }

    /// <summary>A history that cannot be kept is no reason to fail.</summary>
    private void Guard(Action work)
    {
        if (Path is null)
            return;
        try
        {
            work();
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or NotSupportedException or ArgumentException)
        {
            Problem = error.Message;
            Path = null;
        }
    }

    private static FileStream OpenOwn(string path, FileMode mode)
    {
        string? folder = System.IO.Path.GetDirectoryName(System.IO.Path.GetFullPath(path));
        FileStreamOptions options = new() { Mode = mode, Access = FileAccess.Write, Share = FileShare.ReadWrite };
        if (OperatingSystem.IsWindows())
        {
            Directory.CreateDirectory(folder!);
            return new FileStream(path, options);
        }

        if (!Directory.Exists(folder))
            Directory.CreateDirectory(folder!, OwnerOnly | UnixFileMode.UserExecute);
        options.UnixCreateMode = OwnerOnly;
        FileStream file = new(path, options);
        if (File.GetUnixFileMode(file.SafeFileHandle) != OwnerOnly)
            File.SetUnixFileMode(file.SafeFileHandle, OwnerOnly);
        return file;
    }

    // One line per entry.
    private static string Escape(string text) => text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal);

    private static string Unescape(string line)
    {
        StringBuilder text = new(line.Length);
        for (int index = 0; index < line.Length; index++)
        {
            bool isEscaped = line[index] == '\\' && index + 1 < line.Length;
            char letter = isEscaped ? line[++index] : line[index];
            text.Append(isEscaped && letter == 'n' ? '\n' : letter);
        }

        return text.ToString();
    }
}
