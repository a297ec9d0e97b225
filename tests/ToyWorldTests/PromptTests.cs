using System.Text.RegularExpressions;
using XComposer2.Demo.Benchmarks;
using XComposer2.Demo.Conversations;
using XComposer2.Demo.Mixtures;
using XComposer2.Demo.World;
using XComposer2.Native.Composition;
using XComposer2.Native.Evaluation.DataSets;
using XComposer2.Native.Evaluation.Prompts;
using XComposer2.Native.UnitTests;
using Xunit;

namespace XComposer2.Demo.ToyWorldTests;

/// <summary>Prompts of samples equal those of the programs that ask them.</summary>
public sealed partial class PromptTests
{
    private const string User = "[UNUSED_TOKEN_146]user\n", End = "[UNUSED_TOKEN_145]\n", Assistant = "[UNUSED_TOKEN_146]assistant\n", SystemTurn = "[UNUSED_TOKEN_146]system\n";

    [Fact]
    public void Selection_asks_as_the_composition_does()
    {
        for (int number = 0; number < 100; number++)
        {
            ToySample sample = ToySamples.Draw("choose-select", 4, number);
            string[] lines = sample.Turns[0].Question.Split("选择合适的配图：")[1].Split("候选图像包括: ")[0].Split('\n', StringSplitOptions.RemoveEmptyEntries);
            ArticlePicture[] pictures = [.. sample.Pictures.Select((picture, i) => ArticlePicture.Own($"{i}.png", picture.ToPng()))];

            // A picture before a paragraph is the figure of the one above.
            int shown = 0;
            List<ArticleSection> sections = [];
            foreach (string line in lines)
            {
                if (line.StartsWith(ToySample.Image, StringComparison.Ordinal))
                    sections[^1] = sections[^1] with { Figure = Figure(pictures[shown++]) };
                sections.Add(new ArticleSection(line.Replace(ToySample.Image, "", StringComparison.Ordinal)));
            }

            CompositionPrompt prompt = CompositionPrompts.Choose(sections, sections.Count - 1, pictures[shown..]);
            Assert.Equal((prompt.Text, prompt.AnswerPrefix), (sample.Turns[0].Question, sample.Turns[0].AnswerPrefix));
            ChoiceAnswer choice = ChoiceAnswer.Read(sample.Turns[0].Answer[prompt.AnswerPrefix.Length..], sample.Candidates);
            Assert.True(choice.IsUsable && Phrases.Of(pictures.Length > 0 ? sample.Pictures[shown + choice.Index].Scene.Objects[0].Thing : default).Length > 0);
        }
    }

    [Fact]
    public void Places_captions_and_edits_ask_as_the_composition_does()
    {
        for (int number = 0; number < 60; number++)
        {
            ToyTurn place = ToySamples.Draw("text-place", 4, number).Turns[0];
            ArticleSection[] sections = Sections(place.Question);
            int? count = Wanted().Match(place.Question) is { Success: true } wanted ? int.Parse(wanted.Groups[1].Value, System.Globalization.CultureInfo.InvariantCulture) : null;
            CompositionPrompt prompt = CompositionPrompts.Place(sections, [], count);
            Assert.Equal((prompt.Text, prompt.AnswerPrefix), (place.Question, place.AnswerPrefix));
            Assert.Null(PlacesAnswer.Read(place.Answer, sections.Length, count ?? sections.Length).Problem);

            ToyTurn caption = ToySamples.Draw("text-caption", 4, number).Turns[0];
            (int Place, string Caption)[] earlier = [.. Earlier().Matches(caption.Question).Select(match => (int.Parse(match.Groups[1].Value, System.Globalization.CultureInfo.InvariantCulture), match.Groups[2].Value))];
            prompt = CompositionPrompts.Caption(Sections(caption.Question), earlier.Length + 1, earlier);
            Assert.Equal((prompt.Text, prompt.AnswerPrefix), (caption.Question, caption.AnswerPrefix));
            Assert.NotEmpty(CaptionAnswer.Read(caption.Answer[prompt.AnswerPrefix.Length..]));

            ToyTurn own = ToySamples.Draw("compose-place", 4, number).Turns[0];
            int pictures = own.Question.Split(ToySample.Image).Length - 1;
            count = Wanted().Match(own.Question) is { Success: true } some ? int.Parse(some.Groups[1].Value, System.Globalization.CultureInfo.InvariantCulture) : null;
            ArticlePicture[] ownPictures = [.. Enumerable.Repeat(ArticlePicture.Own("a.png", ToySamples.Draw("vision-json", 1, 1).Pictures[0].ToPng()), pictures)];
            Assert.Equal(CompositionPrompts.Place(Sections(own.Question), ownPictures, count).Text, own.Question);
        }
    }

    [Theory]
    [InlineData("abbreviate", SectionEdit.Abbreviate)]
    [InlineData("expand", SectionEdit.Expand)]
    [InlineData("rewrite", SectionEdit.Rewrite)]
    [InlineData("insert", SectionEdit.InsertBefore)]
    public void Edit_asks_as_the_composition_does(string kind, SectionEdit edit)
    {
        for (int number = 0; number < 60; number++)
        {
            string question = ToySamples.Draw("text-" + kind, 4, number).Turns[0].Question;
            Match parts = EditParts().Match(question);
            Assert.True(parts.Success, question);
            string first = parts.Groups["first"].Value, text = parts.Groups["text"].Value, material = parts.Groups["material"].Value;
            ArticleSection[] sections = edit == SectionEdit.InsertBefore ? [new ArticleSection(first), new ArticleSection(text)] : [new ArticleSection(text)];
            Assert.Equal(CompositionPrompts.Edit(sections, sections.Length - 1, edit, material).Text, question);
        }
    }

    /// <summary>Words of the world and options are left out: what remains of each prompt is a form that the samples have, too.</summary>
    [Fact]
    public void Every_form_of_question_of_the_toy_benchmarks_is_covered()
    {
        string folder = TestPaths.Shared("golden/eval-toy");
        HashSet<string> drawn = [.. Enumerable.Range(0, 4000).Select(number => Form(Whole(ToySamples.Draw("eval", 4, number))))];
        List<string> missing = [];
        int asked = 0;
        foreach (Benchmark benchmark in BenchmarkCatalog.All.Where(each => File.Exists(Path.Combine(folder, each.FileName))))
        {
            DataSet dataSet = DataSetReader.Read(benchmark, folder);
            foreach (Protocol protocol in Enum.GetValues<Protocol>())
            {
                EvaluationPrompts prompts = new(dataSet, protocol);
                foreach (DataSetSample sample in dataSet.Samples)
                {
                    asked++;
                    string form = Form(prompts.Of(sample).Text);
                    if (!drawn.Contains(form))
                        missing.Add($"{benchmark.Name}: {form}");
                }
            }
        }

        Assert.True(asked > 400, $"{asked} prompts");
        Assert.Empty(missing.Distinct());
    }

    private static string Whole(ToySample sample) =>
        (sample.System.Length > 0 ? SystemTurn + sample.System + End : "") + User + sample.Turns[0].Question + End + Assistant + sample.Turns[0].AnswerPrefix;

    private static string Form(string prompt)
    {
        foreach (ShapeColor color in Enum.GetValues<ShapeColor>())
            prompt = prompt.Replace(Phrases.Of(color), "C", StringComparison.Ordinal).Replace(Phrases.Of(color, Language.Chinese), "C", StringComparison.Ordinal);
        foreach (ShapeForm form in Enum.GetValues<ShapeForm>())
            prompt = prompt.Replace(Phrases.Of(form), "F", StringComparison.Ordinal).Replace(Phrases.Of(form, Language.Chinese), "F", StringComparison.Ordinal);
        return PlaceOfArticle().Replace(prompt.Replace(" an C", " a C", StringComparison.Ordinal), "about the P.");
    }

    private static ArticleFigure Figure(ArticlePicture picture) => new() { Candidates = [picture], ChosenIndex = 0 };

    private static ArticleSection[] Sections(string question) => [.. Numbered().Matches(question).Select(match => new ArticleSection(match.Groups[1].Value))];

    [GeneratedRegex("(?<=[\"\n])<Seg[0-9]+> ([^\n]*)\n")]
    private static partial Regex Numbered();

    [GeneratedRegex("图像的([0-9]+)行")]
    private static partial Regex Wanted();

    [GeneratedRegex("<Seg([0-9]+)>后插入图像对应的标题是\"([^\"]*)\"")]
    private static partial Regex Earlier();

    [GeneratedRegex("^(?:缩写以下段落：(?<text>[^\n]*)|(?:扩写|改写)以下段落：(?<text>[^\n]*)\n基于以下素材：(?<material>.*)|在以下两段中插入一段。\n第一段：(?<first>[^\n]*)\n第二段：(?<text>[^\n]*)\n插入段的大纲：(?<material>.*))$")]
    private static partial Regex EditParts();

    [GeneratedRegex("about the [a-z]+\\.")]
    private static partial Regex PlaceOfArticle();
}
