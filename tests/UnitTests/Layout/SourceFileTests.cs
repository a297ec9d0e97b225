using System.Text.RegularExpressions;
using Xunit;

namespace XComposer2.Native.UnitTests;

/// <summary>Sizes of the source files below <c>src/</c>: a closed family is one file, and files stay short enough to read at once.</summary>
public sealed partial class SourceFileTests
{
    private const int MinimumMedian = 50;
    private const int SmallLines = 15;
    private const int MaximumLines = 400;
    private const int SmallShare = 10;

    [Fact]
    public void No_file_exceeds_400_lines() =>
        Assert.DoesNotContain(Files(), file => file.Lines > MaximumLines);

    [Fact]
    public void Median_file_has_at_least_50_lines()
    {
        int[] lines = [.. Files().Select(file => file.Lines).Order()];
        int median = lines[(lines.Length - 1) / 2];
        Assert.True(median >= MinimumMedian, $"the median of {lines.Length} files is {median} lines, expected {MinimumMedian} or more");
    }

    [Fact]
    public void At_most_a_tenth_of_the_files_have_15_lines_or_fewer()
    {
        List<(string Path, int Lines)> files = Files();
        string[] small = [.. files.Where(file => file.Lines <= SmallLines).Select(file => file.Path)];
        Assert.True(small.Length * 100 <= files.Count * SmallShare, $"{small.Length} of {files.Count} files have {SmallLines} lines or fewer: {string.Join(", ", small)}");
    }

    [Fact]
    public void No_folder_has_the_name_of_a_type_in_it()
    {
        List<string> clashes = [];
        foreach ((string path, _) in Files())
        {
            string[] folders = Path.GetDirectoryName(path)!.Split(Path.DirectorySeparatorChar);
            clashes.AddRange(Types().Matches(File.ReadAllText(TestPaths.Repository(Path.Combine("src", path))))
                .Select(match => match.Groups["name"].Value).Where(folders.Contains).Select(name => $"{name} in {path}"));
        }

        Assert.Empty(clashes);
    }

    [GeneratedRegex(@"^(public|internal)\s[^\n({=]*?\b(class|struct|record|enum|interface)\s+(?!class\b|struct\b)(?<name>\w+)", RegexOptions.Multiline)]
    private static partial Regex Types();

    /// <summary>Paths below <c>src/</c>, sorted.</summary>
    private static List<(string Path, int Lines)> Files() =>
    [
        .. Directory.EnumerateFiles(TestPaths.Repository("src"), "*.cs", SearchOption.AllDirectories)
            .Where(path => !path.Split(Path.DirectorySeparatorChar).Any(part => part is "obj" or "bin"))
            .Order(StringComparer.Ordinal)
            .Select(path => (Path.GetRelativePath(TestPaths.Repository("src"), path), File.ReadLines(path).Count())),
    ];
}
