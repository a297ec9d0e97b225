using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;
using Xunit;

namespace XComposer2.Native.UnitTests;

/// <summary>Each C# block of a README file is one region of <c>ReadmeSamples.cs</c>, so that it compiles.</summary>
public sealed partial class ReadmeSampleTests
{
    private static readonly string[] excludedFolders = ["artifacts", ".git"];

    public static TheoryData<string> FilesWithSamples => [.. MarkdownFiles().Where(file => Blocks(file).Count > 0)];

    [Fact]
    public void Every_region_has_a_file_and_every_file_a_region()
    {
        string[] regions = [.. Regions().Keys.Order(StringComparer.Ordinal)];
        Assert.NotEmpty(regions);
        Assert.Equal([.. FilesWithSamples.Select(row => row.Data).Order(StringComparer.Ordinal)], regions);
    }

    [Theory]
    [MemberData(nameof(FilesWithSamples))]
    public void Sample_equals_the_compiled_region(string file)
    {
        string block = Assert.Single(Blocks(file));
        string[] lines = block.Split('\n');
        string source = File.ReadAllText(SourcePath());
        foreach (string directive in lines.Where(IsUsingDirective))
            Assert.True(directive == "using XComposer2.Native;" || source.Contains(directive + "\n", StringComparison.Ordinal), $"{file}: '{directive}' is not in {Path.GetFileName(SourcePath())}");
        string[] code = [.. lines.SkipWhile(line => IsUsingDirective(line) || line.Length == 0)];
        Assert.Equal(Regions()[file], string.Join('\n', code).TrimEnd());
    }

    private static bool IsUsingDirective(string line) => UsingDirective().IsMatch(line);

    private static IEnumerable<string> MarkdownFiles()
    {
        string root = TestPaths.Repository("README.md")[..^"README.md".Length];
        return Directory.EnumerateFiles(root, "*.md", new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = FileAttributes.ReparsePoint })
            .Select(file => Path.GetRelativePath(root, file).Replace('\\', '/'))
            .Where(file => !excludedFolders.Contains(file.Split('/')[0]));
    }

    private static List<string> Blocks(string file) =>
        [.. Block().Matches(File.ReadAllText(TestPaths.Repository(file))).Select(match => match.Groups[1].Value.TrimEnd())];

    /// <summary>Regions of the samples by name, without their common indentation.</summary>
    private static Dictionary<string, string> Regions()
    {
        var regions = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (Match match in Region().Matches(File.ReadAllText(SourcePath())))
        {
            string indentation = match.Groups[1].Value;
            IEnumerable<string> lines = match.Groups[3].Value.Split('\n')
                .Select(line => line.StartsWith(indentation, StringComparison.Ordinal) ? line[indentation.Length..] : line);
            regions.Add(match.Groups[2].Value, string.Join('\n', lines).TrimEnd());
        }
        return regions;
    }

    private static string SourcePath([CallerFilePath] string self = "") =>
        File.Exists(self) ? Path.Combine(Path.GetDirectoryName(self)!, "ReadmeSamples.cs") : TestPaths.Repository("tests/UnitTests/Layout/ReadmeSamples.cs");

    [GeneratedRegex(@"^using [A-Za-z0-9.]+;$")]
    private static partial Regex UsingDirective();

    [GeneratedRegex(@"^```csharp\n(.*?)^```$", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Block();

    [GeneratedRegex(@"^( *)#region (\S+)\n(.*?)^ *#endregion", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Region();
}
