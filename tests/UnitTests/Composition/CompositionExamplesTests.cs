using System.Diagnostics;
using XComposer2.Native.Composition;
using Xunit;

namespace XComposer2.Native.UnitTests;

/// <summary>The example scripts of tools/demo/compose run unchanged and create valid articles.</summary>
public sealed class CompositionExamplesTests : IDisposable
{
    private readonly string root = Directory.CreateTempSubdirectory("xc2-examples").FullName;

    public void Dispose() => Directory.Delete(root, recursive: true);

    [Theory]
    [InlineData("writing-styles", 1, "styles-en-1", "styles-en-2", "styles-zh-1", "styles-zh-2")]
    [InlineData("text-editing", 6, "editing-en", "editing-zh")]
    [InlineData("complex-instructions", 1, "complex-zh")]
    [InlineData("customisation", 4, "custom-zh")]
    public void Example_creates_articles(string example, int states, params string[] articles)
    {
        if (OperatingSystem.IsWindows())
            Assert.Skip("no shell on this machine");
        string program = Path.Combine(root, "xc2"), made = Path.Combine(root, "made");
        string host = Environment.ProcessPath is { } path && Path.GetFileNameWithoutExtension(path) == "dotnet" ? path : "dotnet";
        File.WriteAllText(program, $"#!/bin/sh\nexec '{host}' '{Path.Combine(AppContext.BaseDirectory, "xc2.dll")}' \"$@\"\n");
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(program, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        ProcessStartInfo start = new("bash", [TestPaths.Repository($"tools/demo/compose/examples/{example}.sh"), made]) { Environment = { ["XC2"] = program } };
        start.Environment.Remove("XC2_MODEL");

        ProcessResult result = ProcessResult.Of(start);

        Assert.True(result.ExitCode == 0, result.Error);
        foreach (string article in articles)
        {
            ArticleHistory history = ArticleFolder.Open(Path.Combine(made, article));
            Assert.Equal(states, history.States.Count);
            Assert.NotEmpty(history.Current.Sections);
            Assert.True(File.Exists(Path.Combine(made, article, "article.html")));
        }
    }
}
