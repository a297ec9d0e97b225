using Xunit;

namespace XComposer2.Native.UnitTests;

public sealed class LauncherTests : IDisposable
{
    private readonly LauncherTree tree = new();

    public void Dispose() => tree.Dispose();

    [Fact]
    public void Launcher_builds_once_and_passes_arguments_unchanged()
    {
        ProcessResult first = tree.Run(["chat", "two words", "", "*"]), second = tree.Run(["--version"]);

        Assert.Equal((0, "ran xc2.dll [chat] [two words] [] [*]\n"), (first.ExitCode, first.Output));
        Assert.Matches(@"^xc2: building xc2 \(first use, about \d+ s\) \.\.\.\n$", first.Error);
        Assert.Equal((0, "ran xc2.dll [--version]\n", ""), (second.ExitCode, second.Output, second.Error));
        Assert.Contains("PublishReadyToRun=true", Assert.Single(tree.Publishes), StringComparison.Ordinal);
    }

    [Fact]
    public void Launcher_works_through_a_chain_of_links()
    {
        string link = Path.Combine(tree.Root, "src", "link"), second = Path.Combine(tree.Root, "second");
        File.CreateSymbolicLink(link, "../xc2");
        File.CreateSymbolicLink(second, link);

        Assert.Equal("ran xc2.dll [x]\n", tree.Run(["x"], second).Output);
        Assert.True(Directory.Exists(Path.Combine(tree.Root, "artifacts", "xc2")));
    }

    [Fact]
    public void Launcher_rebuilds_after_a_change_and_after_a_deletion()
    {
        tree.Run([]);
        tree.Age(DateTime.UtcNow.AddMinutes(1));
        ProcessResult changed = tree.Run([]);
        int afterChange = tree.Publishes.Count;
        tree.Run([]);
        int afterNothing = tree.Publishes.Count;
        File.Delete(tree.Source);
        tree.Run([]);

        Assert.Contains("the sources have changed", changed.Error, StringComparison.Ordinal);
        Assert.Equal((2, 2, 3), (afterChange, afterNothing, tree.Publishes.Count));
    }

    /// <summary>Archives keep old times; wrong clocks leave future ones.</summary>
    [Theory]
    [InlineData("2001-02-03")]
    [InlineData("2099-02-03")]
    public void Changed_source_is_built_once_whatever_its_time(string time)
    {
        tree.Run([]);
        File.WriteAllText(tree.Source, "changed");
        tree.Age(DateTime.Parse(time, System.Globalization.CultureInfo.InvariantCulture));
        tree.Run([]);
        tree.Run([]);

        Assert.Equal(2, tree.Publishes.Count);
    }

    [Fact]
    public void Build_folder_has_a_random_name()
    {
        tree.Run([]);
        string[] built = [.. Directory.EnumerateDirectories(Path.Combine(tree.Root, "artifacts", "xc2"), "app.*")];

        Assert.Matches(@"/app\.\w{6}$", Assert.Single(built));
        Assert.Equal(Path.GetFileName(built[0]), new FileInfo(Path.Combine(tree.Root, "artifacts", "xc2", "current")).LinkTarget);
    }

    /// <summary>MSBuild interprets ; and % in paths.</summary>
    [Theory]
    [InlineData("a;b")]
    [InlineData("a%41b")]
    public void Path_with_MSBuild_characters_is_built_through_a_link(string name)
    {
        using LauncherTree special = new(name);
        ProcessResult result = special.Run(["x"]);

        Assert.Equal((0, "ran xc2.dll [x]\n"), (result.ExitCode, result.Output));
        Assert.DoesNotContain(name, Assert.Single(special.Publishes), StringComparison.Ordinal);
    }

    [Fact]
    public void NuGet_settings_in_parent_folders_are_not_read()
    {
        tree.Run([]);
        Assert.Contains("RestoreRootConfigDirectory=/", Assert.Single(tree.Publishes), StringComparison.Ordinal);
    }

    [Fact]
    public void Text_change_does_not_trigger_a_build()
    {
        string text = Path.Combine(tree.Root, "src", "Some", "notes.md");
        File.WriteAllText(text, "");
        tree.Age(DateTime.UtcNow.AddMinutes(-1));
        tree.Run([]);
        File.SetLastWriteTimeUtc(text, DateTime.UtcNow.AddMinutes(1));
        tree.Run([]);

        Assert.Single(tree.Publishes);
    }

    [Fact]
    public async Task Concurrent_launches_build_once()
    {
        Task<ProcessResult>[] both = [.. Enumerable.Range(0, 2).Select(_ => Task.Run(() => tree.Run(["x"], variables: ("FAKE_SLOW", "1"))))];

        foreach (ProcessResult result in await Task.WhenAll(both))
            Assert.Equal((0, "ran xc2.dll [x]\n"), (result.ExitCode, result.Output));
        Assert.Single(tree.Publishes);
    }

    [Fact]
    public void Missing_crossgen_falls_back_to_a_plain_build()
    {
        ProcessResult result = tree.Run(["x"], variables: ("FAKE_NO_CROSSGEN", "1"));

        Assert.Equal((0, "ran xc2.dll [x]\n"), (result.ExitCode, result.Output));
        Assert.Equal(2, tree.Publishes.Count);
        Assert.DoesNotContain("PublishReadyToRun", tree.Publishes[1], StringComparison.Ordinal);
    }

    [Fact]
    public void Failed_build_shows_its_log_and_keeps_the_previous_build()
    {
        DateTime time = DateTime.UtcNow.AddMinutes(-2);
        tree.Age(time);
        tree.Run([]);
        tree.Age(DateTime.UtcNow.AddMinutes(1));
        ProcessResult failed = tree.Run([], variables: ("FAKE_BROKEN", "1"));
        tree.Age(time);
        ProcessResult after = tree.Run(["x"]);

        Assert.Equal((1, ""), (failed.ExitCode, failed.Output));
        Assert.Contains("error CS1002", failed.Error, StringComparison.Ordinal);
        Assert.Contains("xc2: building failed", failed.Error, StringComparison.Ordinal);
        Assert.Equal("ran xc2.dll [x]\n", after.Output);
        Assert.Single(Directory.EnumerateDirectories(Path.Combine(tree.Root, "artifacts", "xc2"), "app.*"));
    }

    [Fact]
    public void Missing_dotnet_error_states_what_to_install()
    {
        // Otherwise this machine's own installation would be found.
        File.WriteAllText(tree.Launcher, File.ReadAllText(tree.Launcher).Replace("/usr/share/dotnet/dotnet /usr/lib/dotnet/dotnet", "", StringComparison.Ordinal));
        ProcessResult result = tree.Run([], path: "/nowhere", variables: ("HOME", "/nowhere"));

        Assert.Equal((1, ""), (result.ExitCode, result.Output));
        Assert.Matches(@"^xc2: dotnet was not found; install the \.NET 10 SDK .*\n$", result.Error);
    }

    [Fact]
    public void Missing_sdk_error_states_what_to_install()
    {
        ProcessResult result = tree.Run([], variables: ("FAKE_NO_SDK", "1"));

        Assert.Equal(1, result.ExitCode);
        Assert.Contains("no SDK was found", result.Error, StringComparison.Ordinal);
        Assert.Contains("building needs the .NET 10 SDK", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Read_only_tree_gives_one_message()
    {
        // A file in place of the folder also stops root, unlike folder permissions.
        File.WriteAllText(Path.Combine(tree.Root, "artifacts"), "");
        ProcessResult result = tree.Run([]);

        Assert.Equal((1, ""), (result.ExitCode, result.Output));
        Assert.Matches(@"^xc2: .* is not writable, .*\n$", result.Error);
    }
}
