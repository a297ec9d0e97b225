using Xunit;

namespace XComposer2.Native.GpuTests;

/// <summary>The material beside the repository: XC2_SHARED names it where the tests run without a checkout.</summary>
internal static class SharedMaterial
{
    private const string Variable = "XC2_SHARED";

    /// <summary>A file or folder; the test is skipped, aloud, where it is absent.</summary>
    public static string Find(string relativePath)
    {
        string? root = Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } named ? named
            : RepositoryPaths.Root is { } repository ? Path.Combine(repository, "..", "shared") : null;
        if (root is null || !Path.Exists(Path.Combine(root, relativePath)))
            Assert.Skip($"../shared is not here: {relativePath} was not found");
        return Path.GetFullPath(Path.Combine(root, relativePath));
    }
}
