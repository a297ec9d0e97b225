using Xunit;

namespace XComposer2.Native.UnitTests;

/// <summary>Finds test material from the place the test binary runs in.</summary>
public static class TestPaths
{
    private const string Anchor = "XComposer2.Native.sln";

    /// <summary>The folder with the solution file.</summary>
    public static string RepositoryRoot { get; } = FindRepositoryRoot();

    /// <summary>A file or folder below <c>tests/golden</c>, which every clone has; its absence is a failure.</summary>
    public static string Golden(string relativePath)
    {
        string path = Path.Combine(RepositoryRoot, "tests", "golden", relativePath);
        Assert.True(Path.Exists(path), $"tests/golden/{relativePath} is missing from this clone");
        return path;
    }

    /// <summary>A file or folder of the repository itself.</summary>
    public static string Repository(string relativePath)
    {
        string path = Path.Combine(RepositoryRoot, relativePath);
        Assert.True(Path.Exists(path), $"{relativePath} is missing from this clone");
        return path;
    }

    /// <summary>A file or folder of the material beside the repository; the test is skipped, aloud, where it is absent.</summary>
    public static string Shared(string relativePath)
    {
        string path = Path.GetFullPath(Path.Combine(RepositoryRoot, "..", "shared", relativePath));
        if (!Path.Exists(path)) Assert.Skip($"../shared is not here: {relativePath} was not found");
        return path;
    }

    private static string FindRepositoryRoot()
    {
        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
            if (File.Exists(Path.Combine(folder.FullName, Anchor))) return folder.FullName;
        throw new DirectoryNotFoundException($"no folder above the test binary has {Anchor}");
    }
}
