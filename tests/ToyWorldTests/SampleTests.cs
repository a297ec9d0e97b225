using System.Security.Cryptography;
using System.Text;
using XComposer2.Demo.Conversations;
using XComposer2.Demo.Mixtures;
using XComposer2.Demo.World;
using Xunit;

namespace XComposer2.Demo.ToyWorldTests;

/// <summary>Samples of every kind: determinism and form.</summary>
public sealed class SampleTests
{
    private const int PerKind = 40;

    public static TheoryData<string> Names => [.. ToySamples.Names];

    [Theory]
    [MemberData(nameof(Names))]
    public void Every_sample_is_well_formed(string kind)
    {
        for (int number = 0; number < PerKind; number++)
        {
            ToySample sample = ToySamples.Draw(kind, 3, number);
            int places = sample.Turns.Sum(turn => turn.Question.Split(ToySample.Image).Length - 1);
            Assert.Equal(sample.ArePicturesFirst ? 0 : sample.Pictures.Length, places);
            Assert.NotEmpty(sample.Turns);
            Assert.All(sample.Turns, turn => Assert.True(turn.Question.Trim().Length > 0 && turn.Answer.Length > turn.AnswerPrefix.Length && turn.Answer.StartsWith(turn.AnswerPrefix, StringComparison.Ordinal)));
            Assert.All(sample.Turns, turn => Assert.DoesNotContain(ToySample.Image, turn.Answer, StringComparison.Ordinal));
            Assert.All(sample.Turns, turn => Assert.DoesNotContain("{", turn.Question, StringComparison.Ordinal));
            Assert.All(sample.Pictures, picture => Assert.Equal(picture.Scene.Objects.Length, picture.Scene.Objects.Select(each => each.Cell).Distinct().Count()));
            Assert.True(kind.Contains("told", StringComparison.Ordinal) == (sample.Pictures.Length == 0) || kind.StartsWith("text", StringComparison.Ordinal) || kind.StartsWith("copy", StringComparison.Ordinal) || sample.Kind == "eval-creation");
            Assert.True(ToySamples.Has(sample.Kind) && !ToySamples.GroupNames.Contains(sample.Kind), sample.Kind);
        }
    }

    [Fact]
    public void Samples_are_the_same_on_every_machine()
    {
        // Of texts and pixels of one sample of each kind: a change of any draw changes it.
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (string kind in ToySamples.Names)
        {
            ToySample sample = ToySamples.Draw(kind, 7, 11);
            hash.AppendData(Encoding.UTF8.GetBytes(sample.Kind + sample.System + string.Concat(sample.Turns)));
            foreach (ToyPicture picture in sample.Pictures)
            {
                hash.AppendData(picture.ToFileImage().Pixels.Span);
                hash.AppendData(picture.ToInputImage(84).Pixels.Span);
            }
        }

        Assert.Equal("b54c5f8d6b9847aa", Convert.ToHexStringLower(hash.GetHashAndReset())[..16]);
    }

    [Fact]
    public void Samples_do_not_depend_on_the_thread_or_the_order()
    {
        Mixture mixture = new("stage", [("vision", 1), ("choose-select-alike", 1), ("eval", 1)]);
        string[] alone = [.. Enumerable.Range(0, 200).Select(number => Text(mixture.Sample(5, number)))], together = new string[200];
        Parallel.For(0, 200, number => together[199 - number] = Text(mixture.Sample(5, 199 - number)));
        Assert.Equal(alone, together);
        Assert.Equal(200, alone.Distinct().Count());
    }

    [Fact]
    public void Seeds_numbers_and_stages_give_other_samples()
    {
        Mixture one = new("one", [("vision", 1)]), other = new("other", [("vision", 1)]);
        string[] drawn =
        [
            Text(one.Sample(1, 0)), Text(one.Sample(2, 0)), Text(one.Sample(1, 1)), Text(other.Sample(1, 0)), Text(one.Sample(ToySamples.FirstHeldOutSeed | 1, 0)),
            Text(ToySamples.Draw("vision", 1, 0)),
        ];
        Assert.Equal(drawn.Length, drawn.Distinct().Count());
    }

    [Fact]
    public void Mixture_draws_kinds_by_weight()
    {
        Mixture mixture = new("stage", [("text-mix", 1), ("text-who", 3)]);
        int rare = Enumerable.Range(0, 4000).Count(number => mixture.Sample(1, number).Kind == "text-mix");
        Assert.InRange(rare, 900, 1100);
    }

    [Fact]
    public void Unknown_kinds_and_weights_are_refused()
    {
        Assert.Contains("'vison'", Assert.Throws<ArgumentException>(() => ToySamples.Draw("vison", 1, 0)).Message, StringComparison.Ordinal);
        Assert.Contains("found 0", Assert.Throws<ArgumentException>(() => new Mixture("stage", [("vision", 0)])).Message, StringComparison.Ordinal);
    }

    private static string Text(ToySample sample) =>
        sample.Kind + string.Concat(sample.Turns) + string.Concat(sample.Pictures.Select(picture => Convert.ToBase64String(SHA256.HashData(picture.ToInputImage(84).Pixels.Span))));
}
