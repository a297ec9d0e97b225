namespace XComposer2.Native.Cli;

/// <summary>Completes the commands of a conversation, their paths and their settings.</summary>
internal sealed class ChatCompleter : ICompleter
{
    private const int MaximumCandidates = 500;

    public Completion? Complete(string textBeforeCursor)
    {
        if (!MessageSyntax.IsCommand(textBeforeCursor) || textBeforeCursor.Contains('\n'))
            return null;
        string[] words = textBeforeCursor.Split(' ', 2);
        if (words.Length == 1)
            return Of(words[0], ChatCommands.All.SelectMany(static command => command.Names.Select(name => command.TakesArgument ? name + " " : name)));
        string argument = words[1].TrimStart();
        return words[0] switch
        {
            "/image" or "/save" => Paths(argument, static _ => true),
            "/load" => Paths(argument, static path => path.EndsWith(".json", StringComparison.OrdinalIgnoreCase)),
            "/images" => Of(argument, ["remove ", "remove all"]),
            "/system" => Of(argument, ["default", "none"]),
            "/set" when argument.Split(' ', 2) is [string name, string value] => Of(value, ChatSettings.WordsOf(name)),
            "/set" => Of(argument, ChatSettings.Names.Select(name => name + " ")),
            _ => null,
        };
    }

    private static Completion Of(string typed, IEnumerable<string> words) => new(typed, [.. words.Where(word => word.StartsWith(typed, StringComparison.Ordinal) && word != typed).Order(StringComparer.Ordinal)]);

    /// <summary>Entries of the folder that was typed so far. Hidden ones only if a dot was typed.</summary>
    private static Completion? Paths(string typed, Func<string, bool> isWanted)
    {
        string quote = typed is ['"' or '\'', ..] ? typed[..1] : "";
        string path = typed[quote.Length..];
        int end = path.LastIndexOf('/') + 1;
        string folder = path[..end], name = path[end..];
        if (path == "~")
            return new Completion(typed, [$"{quote}~/"]);
        List<string> found = [];
        try
        {
            foreach (FileSystemInfo entry in new DirectoryInfo(Expand(folder)).EnumerateFileSystemInfos())
            {
                bool isFolder = entry is DirectoryInfo || Directory.Exists(entry.FullName);
                bool isShown = entry.Name.StartsWith(name, StringComparison.Ordinal) && (name.StartsWith('.') || !entry.Name.StartsWith('.'));
                // Names that cannot be typed are left out.
                if (isShown && (isFolder || isWanted(entry.Name)) && !entry.Name.Any(char.IsControl) && found.Count < MaximumCandidates)
                    found.Add($"{quote}{folder}{entry.Name}{(isFolder ? "/" : "")}");
            }
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or ArgumentException)
        {
            return null;
        }

        found.Sort(StringComparer.Ordinal);
        return new Completion(typed, found, quote.Length + folder.Length);
    }

    private static string Expand(string folder) => folder switch
    {
        "" => ".",
        _ when folder.StartsWith("~/", StringComparison.Ordinal) => Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), folder[2..]),
        _ => folder,
    };
}
