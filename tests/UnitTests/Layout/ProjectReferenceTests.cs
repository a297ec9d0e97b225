using System.Xml.Linq;
using Xunit;

namespace XComposer2.Native.UnitTests;

/// <summary>The table of <c>src/ARCHITECTURE.md</c> and the project files of <c>src/</c> state the same references.</summary>
public sealed class ProjectReferenceTests
{
    private const string RootProject = "XComposer2.Native";

    public static TheoryData<string> Projects => [.. ProjectFiles().Select(file => Path.GetFileNameWithoutExtension(file)).Order(StringComparer.Ordinal)];

    [Fact]
    public void Table_lists_each_project_once()
    {
        string[] listed = [.. Table().Select(row => row.Project).Order(StringComparer.Ordinal)];
        Assert.Equal([.. ProjectFiles().Select(file => Path.GetFileNameWithoutExtension(file)).Order(StringComparer.Ordinal)], listed);
    }

    [Theory]
    [MemberData(nameof(Projects))]
    public void Table_matches_the_references_of_the_project_file(string project)
    {
        string[] listed = [.. Table().Single(row => row.Project == project).References.Order(StringComparer.Ordinal)];
        Assert.Equal(References(project), listed);
    }

    [Fact]
    public void Row_references_only_rows_above_it()
    {
        HashSet<string> above = [];
        foreach ((string project, string[] references) in Table())
        {
            Assert.All(references, reference => Assert.True(above.Contains(reference), $"{project} references {reference}, which is not in a row above it"));
            above.Add(project);
        }
    }

    private static IEnumerable<string> ProjectFiles() => Directory.EnumerateFiles(TestPaths.Repository("src"), "*.csproj", SearchOption.AllDirectories);

    private static string[] References(string project) =>
    [
        .. XDocument.Load(ProjectFiles().Single(file => Path.GetFileNameWithoutExtension(file) == project)).Descendants("ProjectReference")
            .Select(reference => Path.GetFileNameWithoutExtension((string)reference.Attribute("Include")!))
            .Order(StringComparer.Ordinal),
    ];

    /// <summary>Rows of the table with a column "references": full project name and full names of its references.</summary>
    private static List<(string Project, string[] References)> Table()
    {
        string[] lines = File.ReadAllLines(TestPaths.Repository("src/ARCHITECTURE.md"));
        int heading = Array.FindIndex(lines, line => line.StartsWith("| project |", StringComparison.Ordinal));
        Assert.True(heading >= 0, "src/ARCHITECTURE.md has no table with the heading '| project |'");
        Assert.Equal("references", Cells(lines[heading])[2]);
        return [.. lines.Skip(heading + 2).TakeWhile(line => line.StartsWith('|')).Select(Row)];
    }

    private static (string Project, string[] References) Row(string line)
    {
        string[] cells = Cells(line);
        Assert.True(cells.Length == 3, $"src/ARCHITECTURE.md: expected three columns, found {cells.Length} in '{line}'");
        return (cells[0].Trim('`'), cells[2] == "none" ? [] : [.. cells[2].Split(", ").Select(FullName)]);
    }

    private static string[] Cells(string line) => line.Trim().Trim('|').Split('|', StringSplitOptions.TrimEntries);

    private static string FullName(string name) =>
        name == RootProject ? name : $"{RootProject}.{name}";
}
