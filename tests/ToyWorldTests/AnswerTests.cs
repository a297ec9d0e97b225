using System.Text.Json;
using System.Text.RegularExpressions;
using XComposer2.Demo.Conversations;
using XComposer2.Demo.Mixtures;
using XComposer2.Demo.World;
using Xunit;

namespace XComposer2.Demo.ToyWorldTests;

/// <summary>Answers are right: they are read back from their texts and compared with the scenes.</summary>
public sealed partial class AnswerTests
{
    private const int Samples = 300;

    private static readonly string[] letters = ["A", "B", "C", "D"];

    [Theory]
    [InlineData("vision-talk")]
    [InlineData("vision-alike")]
    [InlineData("vision-crowded")]
    [InlineData("vision-choice")]
    [InlineData("vision-color")]
    [InlineData("vision-size")]
    [InlineData("vision-list")]
    public void Answer_about_a_scene_is_right(string kind)
    {
        int judged = 0;
        foreach (ToySample sample in Enumerable.Range(0, Samples).Select(number => ToySamples.Draw(kind, 9, number)))
        {
            Scene scene = sample.Pictures[0].Scene;
            foreach (ToyTurn turn in sample.Turns)
                judged += Judge(turn.Question.Replace(ToySample.Image, "", StringComparison.Ordinal), turn.Answer, scene) ? 1 : 0;
        }

        Assert.True(judged >= Samples / 2, $"only {judged} answers were judged");
    }

    [Theory]
    [InlineData("choose-select", "最合适的图是")]
    [InlineData("choose-select-4-alike", "最合适的图是")]
    [InlineData("choose-sentence-alike", "最合适的图是")]
    [InlineData("choose-match-near", "最合适的图是")]
    [InlineData("choose-find-3-alike-near", "")]
    public void Chosen_candidate_alone_shows_what_the_text_is_about(string kind, string prefix)
    {
        int[] chosen = new int[4];
        foreach (ToySample sample in Enumerable.Range(0, Samples).Select(number => ToySamples.Draw(kind, 9, number)))
        {
            ToyTurn turn = sample.Turns[0];
            Assert.Equal(prefix, turn.AnswerPrefix);
            Scene[] candidates = [.. sample.Pictures.TakeLast(sample.Candidates).Select(picture => picture.Scene)];
            int letter = Array.FindIndex(letters, each => turn.Answer.Contains(each, StringComparison.Ordinal) && turn.Answer.Replace("Image", "", StringComparison.Ordinal).Contains(each, StringComparison.Ordinal));
            chosen[letter]++;
            string text = turn.Question.Split("A." + ToySample.Image)[0];
            string last = text.Split('\n', StringSplitOptions.RemoveEmptyEntries)[prefix.Length > 0 ? ^2 : ^1];
            int[] fitting = [.. Enumerable.Range(0, candidates.Length).Where(i => Mentions(last, candidates[i].Objects.Single().Thing))];
            Assert.Equal([letter], fitting);
            Assert.Equal(candidates.Length, candidates.Select(scene => scene.Objects[0].Thing).Distinct().Count());
            if (kind.Contains("alike", StringComparison.Ordinal))
                Assert.Contains(candidates, one => candidates.Any(other => one != other && one.Objects[0].Thing.Shares(other.Objects[0].Thing)));
            else
                Assert.DoesNotContain(candidates, one => candidates.Any(other => one != other && one.Objects[0].Thing.Shares(other.Objects[0].Thing)));
        }

        // Every letter is right often.
        Assert.True(chosen.Take(3).Min() > Samples / 8, string.Join(", ", chosen));
    }

    [Theory]
    [InlineData("choose-fit")]
    [InlineData("choose-fit-alike")]
    [InlineData("choose-fit-4-alike-near")]
    public void Every_candidate_says_whether_it_shows_the_thing(string kind)
    {
        foreach (ToySample sample in Enumerable.Range(0, Samples).Select(number => ToySamples.Draw(kind, 9, number)))
        {
            string asked = sample.Turns[0].Question.Split('\n')[0];
            Assert.Equal(
                sample.Pictures.Select((picture, i) => (letters[i], Mentions(asked, picture.Scene.Objects[0].Thing))),
                sample.Turns[0].Answer.Split('\n').Select(line => (line[..1], line[3..] is "Yes" or "有")));
        }
    }

    [Fact]
    public void Candidates_of_a_list_are_named_rightly()
    {
        foreach (ToySample sample in Enumerable.Range(0, Samples).Select(number => ToySamples.Draw("choose-what-alike", 9, number)))
        {
            Assert.Equal(sample.Pictures.Length, sample.Turns.Length);
            foreach (ToyTurn turn in sample.Turns)
            {
                string question = turn.Question.Split('\n')[^1];
                int letter = Array.FindIndex(letters, each => question.Contains("image " + each, StringComparison.Ordinal) || question.Contains("图" + each, StringComparison.Ordinal));
                Assert.True(Mentions(turn.Answer, sample.Pictures[letter].Scene.Objects[0].Thing), turn.Answer);
            }
        }
    }

    [Fact]
    public void Copied_answers_stand_in_the_question()
    {
        foreach (ToySample sample in Enumerable.Range(0, Samples).Select(number => ToySamples.Draw("copy-letters", 9, number)))
        {
            string[] listed = sample.Turns[0].Question.Split('\n')[..^1];
            Assert.Equal(2 * listed.Length, sample.Turns.Length);
            foreach (ToyTurn turn in sample.Turns)
            {
                string asked = turn.Question.Split('\n')[^1] + turn.Answer;
                string line = Assert.Single(listed, each => asked.Contains(each[3..^1], StringComparison.Ordinal));
                Assert.Contains(((string[])[$"mage {line[0]}", $"图{line[0]}"]), each => asked.Contains(each, StringComparison.Ordinal));
            }
        }

        Assert.All(Enumerable.Range(0, Samples).Select(number => ToySamples.Draw("copy-list", 9, number).Turns[0]), turn => Assert.StartsWith(turn.Answer, turn.Question, StringComparison.Ordinal));
        Assert.All(Enumerable.Range(0, Samples).Select(number => ToySamples.Draw("copy-cycle", 9, number).Turns[0]), turn =>
        {
            string all = turn.Question + turn.Answer;
            Assert.Equal(all[..^turn.Question.Length], all[turn.Question.Length..]);
        });
    }

    [Fact]
    public void Yes_and_no_about_candidates_are_right_and_equally_frequent()
    {
        int yes = 0, all = 0;
        foreach (ToySample sample in Enumerable.Range(0, Samples).Select(number => ToySamples.Draw("choose-check-alike", 9, number)))
        {
            foreach (ToyTurn turn in sample.Turns)
            {
                string question = turn.Question.Split('\n')[^1];
                int letter = Array.FindIndex(letters, each => question.Contains("image " + each, StringComparison.Ordinal) || question.Contains("图" + each, StringComparison.Ordinal));
                bool isYes = turn.Answer is "Yes" or "有。";
                Assert.Equal(Mentions(question, sample.Pictures[letter].Scene.Objects[0].Thing), isYes);
                yes += isYes ? 1 : 0;
                all++;
            }
        }

        Assert.InRange((double)yes / all, 0.45, 0.55);
    }

    /// <summary>Whether a question's answer could be judged; it is asserted then.</summary>
    private static bool Judge(string question, string answer, Scene scene)
    {
        if (question == "List the shapes as JSON.")
        {
            using JsonDocument json = JsonDocument.Parse(answer);
            Assert.Equal(
                scene.Objects.Select(each => $"{each.Color} {each.Form} {Phrases.Position(each.Cell)}".ToUpperInvariant()),
                json.RootElement.EnumerateArray().Select(each => $"{each.GetProperty("color")} {each.GetProperty("shape")} {each.GetProperty("position")}".ToUpperInvariant()));
            return true;
        }

        if (Existence().Match(question) is { Success: true } existence)
            Assert.Equal(scene.Objects.Any(each => Mentions(existence.Groups[1].Value, each.Thing)), answer is "Yes");
        else if (OfColor().Match(question) is { Success: true } color)
            Assert.Equal($"The {color.Groups[1].Value} is {ColorOf(scene, color.Groups[1].Value)}.", answer);
        else if (Option().Match(question) is { Success: true } option)
            Assert.Contains(
                scene.Objects,
                each => question.Contains($"\n{answer}. {(option.Groups[1].Value == "color" ? Phrases.Of(each.Color) : Phrases.Of(each.Form))}\n", StringComparison.Ordinal)
                    && option.Groups[2].Value == (option.Groups[1].Value == "color" ? Phrases.Of(each.Form) : Phrases.Of(each.Color)));
        else if (Size().Match(question) is { Success: true } size)
            Assert.Equal(scene.Objects.Single(each => Phrases.Of(each.Form) == size.Groups[1].Value).IsLarge, answer == "Large");
        else if (question.StartsWith("How many", StringComparison.Ordinal))
            Assert.Contains(((string[])["", "one shape", "two shapes", "three shapes"])[scene.Objects.Length], answer, StringComparison.Ordinal);
        else if (answer.StartsWith("The image shows", StringComparison.Ordinal) || answer.StartsWith('['))
            Assert.Equal(scene.Objects.Length, Place().Count(answer));
        else
            return false;
        return true;
    }

    private static bool Mentions(string text, Thing thing) =>
        text.Contains($"{Phrases.Of(thing.Color)} {Phrases.Of(thing.Form)}", StringComparison.Ordinal) || text.Contains(Phrases.Of(thing, Language.Chinese), StringComparison.Ordinal);

    private static string ColorOf(Scene scene, string form) => Phrases.Of(scene.Objects.Single(each => Phrases.Of(each.Form) == form).Color);

    [GeneratedRegex("^Is there an? (.*) in the image\\?$")]
    private static partial Regex Existence();

    [GeneratedRegex("^What color is the ([a-z]*)\\?$")]
    private static partial Regex OfColor();

    [GeneratedRegex("^Question: What (color|shape) is (?:the )?([a-z]*)\\?")]
    private static partial Regex Option();

    [GeneratedRegex("^Is the ([a-z]*) large or small\\?$")]
    private static partial Regex Size();

    [GeneratedRegex("(at|in|on) the (top|bottom|left|right|center)")]
    private static partial Regex Place();
}
