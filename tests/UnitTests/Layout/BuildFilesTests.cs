using System.Diagnostics;
using Xunit;

namespace XComposer2.Native.UnitTests;

/// <summary>Builds read nothing from folders above the checkout, which belong to whoever may write there.</summary>
public sealed class BuildFilesTests
{
    /// <summary>For each of these the tools take the nearest one up to the root of the file system.</summary>
    [Theory]
    [InlineData("Directory.Build.props")]
    [InlineData("Directory.Build.targets")]
    [InlineData("Directory.Build.rsp")]
    [InlineData("Directory.Packages.props")]
    [InlineData("Directory.Solution.props")]
    [InlineData("Directory.Solution.targets")]
    [InlineData("global.json")]
    [InlineData("nuget.config")]
    public void Checkout_has_its_own_build_file(string name) => Assert.True(File.Exists(TestPaths.Repository(name)), name);

    [Theory]
    [InlineData("src/XComposer2.Native.Graph/XComposer2.Native.Graph.csproj")]
    [InlineData("tests/UnitTests/UnitTests.csproj")]
    public void NuGet_looks_for_settings_from_the_root_of_the_file_system(string project)
    {
        ProcessResult result = ProcessResult.Of(new ProcessStartInfo("dotnet", ["msbuild", TestPaths.Repository(project), "-nologo", "-getProperty:RestoreRootConfigDirectory"]));
        Assert.Equal(0, result.ExitCode);
        Assert.Equal(Path.GetPathRoot(TestPaths.RepositoryRoot), result.Output.Trim());
    }
}
