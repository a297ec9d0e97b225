using System.Diagnostics;
using System.Globalization;
using XComposer2.Native.Composition;
using Xunit;

namespace XComposer2.Native.UnitTests;

/// <summary>Several processes editing one article: killed at random times, and concurrently. <c>tests/fuzz.sh</c> runs more rounds.</summary>
public sealed class KilledEditTests : IDisposable
{
    private const int ShortRounds = 4;

    private readonly string root = Directory.CreateTempSubdirectory("xc2-killed").FullName;
    private readonly Random random = new(7);

    public KilledEditTests()
    {
        for (int i = 0; i < 3; i++)
            File.WriteAllBytes(Path.Combine(root, $"{i}.png"), [.. CompositionPictures.Bytes(i), .. new byte[4_000_000]]);
        ArticleFolder.Create(Folder, ArticleHistory.Begin(CompositionPictures.Article("one", "two", "three")), ArticleOutput.Standard);
    }

    private string Folder => Path.Combine(root, "article");

    private static int Rounds => int.TryParse(Environment.GetEnvironmentVariable("XC2_FUZZ_ROUNDS"), CultureInfo.InvariantCulture, out int rounds) ? rounds : ShortRounds;

    public void Dispose() => Directory.Delete(root, recursive: true);

    [Fact]
    public void Article_opens_after_killed_edits_and_the_next_save_cleans_up()
    {
        for (int round = 0; round < Rounds; round++)
        {
            using Process edit = Start(round);
            Thread.Sleep(random.Next(50, 900));
            edit.Kill();
            edit.WaitForExit();
            Assert.NotEmpty(ArticleFolder.Open(Folder).States);
        }
        using Process last = Start(0);
        last.WaitForExit();

        Assert.Equal(0, last.ExitCode);
        Assert.Empty(Directory.EnumerateFiles(Folder, "*.tmp", SearchOption.AllDirectories));
    }

    [Fact]
    public void Concurrent_edits_with_exit_code_0_are_all_kept()
    {
        int succeeded = 0;
        for (int round = 0; round < (Rounds + 1) / 2; round++)
        {
            int first = 3 * round;
            Process[] edits = [.. Enumerable.Range(first, 3).Select(Start)];
            for (int i = 0; i < edits.Length; i++)
            {
                edits[i].WaitForExit();
                if (edits[i].ExitCode == 0)
                {
                    succeeded++;
                    // The history is limited: each round is looked for while it is recent.
                    Assert.Contains(ArticleFolder.Open(Folder).States, state => state.Article.Sections.Any(section => section.Figure?.Caption == $"c{first + i}"));
                }
                edits[i].Dispose();
            }
        }
        Assert.True(succeeded > 0);
        Assert.Equal(Math.Min(1 + succeeded, ArticleHistory.MaximumStates), ArticleFolder.Open(Folder).States.Count);
    }

    private Process Start(int round)
    {
        string program = Path.Combine(AppContext.BaseDirectory, "xc2.dll");
        string[] change = ["--section", $"{(round % 3) + 1}", "--op", "replace-figure", "--image", Path.Combine(root, $"{round % 3}.png"), "--caption", $"c{round}"];
        ProcessStartInfo start = new("dotnet", [program, "edit", "--article", Folder, .. change]) { RedirectStandardError = true, RedirectStandardOutput = true };
        Process process = Process.Start(start)!;
        process.BeginErrorReadLine();
        process.BeginOutputReadLine();
        return process;
    }
}
