using System.Text;
using Xunit;

namespace XComposer2.Native.UnitTests;

public sealed class StopTextFilterTests
{
    [Fact]
    public void Any_cuts_give_what_the_whole_text_gives()
    {
        Random random = new(61);
        int stopped = 0, partly = 0;
        const int Cases = 20_000;
        for (int i = 0; i < Cases; i++)
        {
            // Few letters, so that stop texts overlap, hold each other, and begin alike.
            string[] stops = [.. Enumerable.Range(0, random.Next(4)).Select(_ => Letters(random, random.Next(1, 7)))];
            string text = Letters(random, random.Next(30));
            (string expected, bool expectedStop) = Reference(text, stops);

            StopTextFilter filter = new(stops);
            StringBuilder found = new();
            for (int at = 0; at < text.Length;)
            {
                int length = random.Next(Math.Min(6, text.Length - at) + 1);
                string certain = filter.Add(text.Substring(at, length));
                found.Append(certain);
                at += length;
                Assert.StartsWith(found.ToString(), expected, StringComparison.Ordinal);
                if (!filter.Stopped)
                    partly += CheckNothingIsHeldInVain(text[..at], found.Length, stops);
            }
            found.Append(filter.Finish());
            Assert.Equal((expected, expectedStop), (found.ToString(), filter.Stopped));
            Assert.Equal("", filter.Finish());
            stopped += expectedStop ? 1 : 0;
        }
        Assert.InRange(stopped, Cases / 5, Cases * 4 / 5);
        Assert.True(partly > Cases / 5);
    }

    [Fact]
    public void The_first_to_be_complete_ends_the_text()
    {
        StopTextFilter filter = new(["abcd", "bc"]);
        Assert.Equal(["x", "", "a"], Feed(filter, "xa", "b", "cd"));
        Assert.True(filter.Stopped);
        Assert.Equal("", filter.Add("more"));
        Assert.Equal("", filter.Finish());
    }

    [Fact]
    public void What_was_held_back_comes_at_the_end()
    {
        StopTextFilter filter = new(["###", "\n\nUser:"]);
        Assert.Equal(["Hi", "", "##!", ""], Feed(filter, "Hi#", "#", "!\n", "\nUser"));
        Assert.Equal("\n\nUser", filter.Finish());
        Assert.False(filter.Stopped);
    }

    [Fact]
    public void Without_stop_texts_everything_passes() => Assert.Equal("abc", new StopTextFilter([]).Add("abc"));

    [Fact]
    public void An_empty_stop_text_is_refused() => Assert.Throws<ArgumentException>(() => new StopTextFilter(["a", ""]));

    private static IEnumerable<string> Feed(StopTextFilter filter, params string[] deltas) => [.. deltas.Select(filter.Add)];

    private static string Letters(Random random, int count) => new([.. Enumerable.Range(0, count).Select(_ => (char)('a' + random.Next(3)))]);

    /// <summary>Letter by letter: ends where the text so far ends in a stop text, before the longest one.</summary>
    private static (string Text, bool Stopped) Reference(string text, string[] stops)
    {
        for (int end = 1; end <= text.Length; end++)
        {
            string[] complete = [.. stops.Where(stop => text[..end].EndsWith(stop, StringComparison.Ordinal))];
            if (complete.Length > 0)
                return (text[..(end - complete.Max(stop => stop.Length))], true);
        }
        return (text, false);
    }

    private static int CheckNothingIsHeldInVain(string soFar, int given, string[] stops)
    {
        string held = soFar[given..];
        Assert.True(held.Length == 0 || stops.Any(stop => stop.Length > held.Length && stop.StartsWith(held, StringComparison.Ordinal)), $"'{held}' begins no stop text");
        return held.Length > 0 ? 1 : 0;
    }
}
