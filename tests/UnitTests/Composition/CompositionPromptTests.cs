using XComposer2.Native.Composition;
using XComposer2.Native.Model;
using Xunit;

namespace XComposer2.Native.UnitTests;

/// <summary>Compares every prompt of the pipeline with the published text.</summary>
public sealed class CompositionPromptTests
{
    private static readonly ArticleSection[] English =
    [
        new("Welcome to the park of shapes."), new("A red circle stands here, bright and clear."), new("Nobody forgets the blue square."), new("We will come back soon."),
    ];

    private static readonly ArticleSection[] Chinese = [new("### 欢迎来到图形的世界。"), new("孩子们常常画红色圆形。"), new("我们还会再来。")];

    [Theory]
    [InlineData(0, "写一篇短文，介绍红色圆形。")]
    [InlineData(1, "<image>写一篇短文，介绍红色圆形。")]
    [InlineData(3, "<image> <image> <image>写一篇短文，介绍红色圆形。")]
    public void Writing_prompt_puts_pictures_before_the_instruction(int pictures, string expected)
    {
        CompositionPrompt prompt = CompositionPrompts.Write("写一篇短文，介绍红色圆形。", [.. Enumerable.Range(0, pictures).Select(CompositionPictures.Own)]);
        Assert.Equal(expected, CompositionPictures.Published(prompt));
        Assert.Equal("", prompt.AnswerPrefix);
        Assert.Equal(pictures, prompt.Pictures.Count);
    }

    [Fact]
    public void Instruction_with_placeholders_is_unchanged()
    {
        ArticlePicture[] pictures = [CompositionPictures.Own(0), CompositionPictures.Own(1)];
        const string Instruction = "<ImageHere> <ImageHere>please write an article based on the images. Title: my favorite animal.";
        Assert.Equal(Instruction, CompositionPrompts.Write(Instruction, pictures).Text);
    }

    [Fact]
    public void Surplus_placeholder_becomes_text()
    {
        CompositionPrompt prompt = CompositionPrompts.Write("what is <ImageHere>?", []);
        Assert.Equal("what is <Image Here>?", prompt.Text);
        Assert.Equal("<ImageHere>what is <Image Here><Image Here>?", CompositionPrompts.Write("what is <ImageHere><ImageHere>?", [CompositionPictures.Own(0)]).Text);
    }

    [Fact]
    public void Place_prompt_requests_a_number_of_places()
    {
        CompositionPrompt prompt = CompositionPrompts.Place(English, [], 2);
        Assert.Equal(
            "给定文章\"<Seg0> Welcome to the park of shapes.\n<Seg1> A red circle stands here, bright and clear.\n<Seg2> Nobody forgets the blue square.\n<Seg3> We will come back soon.\n\" 根据上述文章，选择适合插入图像的2行",
            prompt.Text);
        Assert.Equal("适合插入图像的行是", prompt.AnswerPrefix);
    }

    [Fact]
    public void Place_prompt_leaves_the_number_to_the_model()
    {
        CompositionPrompt prompt = CompositionPrompts.Place(Chinese, [], null);
        Assert.Equal("给定文章\"<Seg0> ### 欢迎来到图形的世界。\n<Seg1> 孩子们常常画红色圆形。\n<Seg2> 我们还会再来。\n\" 根据上述文章，选择适合插入图像的行", prompt.Text);
    }

    [Fact]
    public void Own_pictures_precede_the_article_with_a_space_after_each()
    {
        CompositionPrompt prompt = CompositionPrompts.Place(Chinese, [CompositionPictures.Own(0), CompositionPictures.Own(1)], 2);
        Assert.Equal("<image> <image> 给定文章\"<Seg0> ### 欢迎来到图形的世界。\n<Seg1> 孩子们常常画红色圆形。\n<Seg2> 我们还会再来。\n\" 根据上述文章，选择适合插入图像的2行", CompositionPictures.Published(prompt));
    }

    [Fact]
    public void First_caption_prompt_has_no_captions_and_one_more_section()
    {
        CompositionPrompt prompt = CompositionPrompts.Caption(English, 1, []);
        Assert.Equal(
            "给定文章\"<Seg0> Welcome to the park of shapes.\n<Seg1> A red circle stands here, bright and clear.\n<Seg2> Nobody forgets the blue square.\n\" 给出适合在<Seg1>后插入的图像对应的标题。",
            prompt.Text);
        Assert.Equal("标题是\"", prompt.AnswerPrefix);
    }

    [Fact]
    public void Later_caption_prompts_list_earlier_captions()
    {
        Assert.Equal(
            "给定文章\"<Seg0> ### 欢迎来到图形的世界。\n<Seg1> 孩子们常常画红色圆形。\n<Seg2> 我们还会再来。\n\" 现在<Seg0>后插入图像对应的标题是\"世界\"。给出适合在<Seg1>后插入的图像对应的标题。",
            CompositionPrompts.Caption(Chinese, 1, [(0, "世界")]).Text);
        Assert.EndsWith(
            "<Seg3> We will come back soon.\n\" 现在<Seg0>后插入图像对应的标题是\"a park\"， <Seg1>后插入图像对应的标题是\"a red circle\"。给出适合在<Seg3>后插入的图像对应的标题。",
            CompositionPrompts.Caption(English, 3, [(0, "a park"), (1, "a red circle")]).Text, StringComparison.Ordinal);
    }

    [Fact]
    public void First_choice_prompt_has_the_text_up_to_the_place_and_the_candidates()
    {
        ArticlePicture[] candidates = [.. Enumerable.Range(0, 4).Select(CompositionPictures.Own)];
        CompositionPrompt prompt = CompositionPrompts.Choose(English, 1, candidates);
        Assert.Equal(
            "根据给定上下文和候选图像，选择合适的配图：Welcome to the park of shapes.\nA red circle stands here, bright and clear.\n候选图像包括: A.<image>\nB.<image>\nC.<image>\nD.<image>",
            CompositionPictures.Published(prompt));
        Assert.Equal("最合适的图是", prompt.AnswerPrefix);
        Assert.Equal(candidates, prompt.Pictures);
    }

    [Fact]
    public void Later_choice_prompts_show_chosen_pictures_in_the_text()
    {
        Article article = CompositionPictures.Article([.. English.Select(section => section.Text)]).WithFigure(1, CompositionPictures.Shown(5, 6)).WithFigure(2, new ArticleFigure());
        CompositionPrompt prompt = CompositionPrompts.Choose(article.Sections, 2, [CompositionPictures.Own(0), CompositionPictures.Own(1)]);
        Assert.Equal(
            "根据给定上下文和候选图像，选择合适的配图：Welcome to the park of shapes.\nA red circle stands here, bright and clear.\n<image>Nobody forgets the blue square.\n候选图像包括: A.<image>\nB.<image>",
            CompositionPictures.Published(prompt));
        Assert.Equal(["5.png", "own-0.png", "own-1.png"], prompt.Pictures.Select(picture => picture.Name));
    }

    [Fact]
    public void Repeated_choice_prompt_does_not_show_the_previous_choice()
    {
        Article article = CompositionPictures.Article("一", "二").WithFigure(1, CompositionPictures.Shown(5, 6));
        Assert.Equal("根据给定上下文和候选图像，选择合适的配图：一\n二\n候选图像包括: A.<image>\nB.<image>", CompositionPictures.Published(CompositionPrompts.Choose(article.Sections, 1, article.Sections[1].Figure!.Candidates)));
    }

    [Theory]
    [InlineData(SectionEdit.Expand, 1, "扩写以下段落：A red circle stands here, bright and clear.\n基于以下素材：a star")]
    [InlineData(SectionEdit.Rewrite, 1, "改写以下段落：A red circle stands here, bright and clear.\n基于以下素材：a star")]
    [InlineData(SectionEdit.Abbreviate, 1, "缩写以下段落：A red circle stands here, bright and clear.")]
    [InlineData(SectionEdit.InsertBefore, 1, "在以下两段中插入一段。\n第一段：Welcome to the park of shapes.\n第二段：A red circle stands here, bright and clear.\n插入段的大纲：a star")]
    [InlineData(SectionEdit.InsertBefore, 0, "在以下两段中插入一段。\n第一段：\n第二段：Welcome to the park of shapes.\n插入段的大纲：a star")]
    [InlineData(SectionEdit.InsertAfter, 1, "在以下两段中插入一段。\n第一段：A red circle stands here, bright and clear.\n第二段：Nobody forgets the blue square.\n插入段的大纲：a star")]
    [InlineData(SectionEdit.InsertAfter, 3, "在以下两段中插入一段。\n第一段：We will come back soon.\n第二段：\n插入段的大纲：a star")]
    public void Edit_prompts_in_English(SectionEdit edit, int section, string expected) => Assert.Equal(expected, CompositionPrompts.Edit(English, section, edit, "a star").Text);

    [Theory]
    [InlineData(SectionEdit.Expand, "扩写以下段落：孩子们常常画红色圆形。\n基于以下素材：星形")]
    [InlineData(SectionEdit.Rewrite, "改写以下段落：孩子们常常画红色圆形。\n基于以下素材：星形")]
    [InlineData(SectionEdit.Abbreviate, "缩写以下段落：孩子们常常画红色圆形。")]
    [InlineData(SectionEdit.InsertBefore, "在以下两段中插入一段。\n第一段：### 欢迎来到图形的世界。\n第二段：孩子们常常画红色圆形。\n插入段的大纲：星形")]
    [InlineData(SectionEdit.InsertAfter, "在以下两段中插入一段。\n第一段：孩子们常常画红色圆形。\n第二段：我们还会再来。\n插入段的大纲：星形")]
    public void Edit_prompts_in_Chinese(SectionEdit edit, string expected) => Assert.Equal(expected, CompositionPrompts.Edit(Chinese, 1, edit, "星形").Text);

    [Fact]
    public void Chinese_instruction_uses_the_wording_of_the_demo() => Assert.Equal(
        "根据以下标题：“中国水墨画：流动的诗意与东方美学”，创作长文章，字数不少于800字。请结合以下文本素材：水墨画起源于唐代。\n留白。",
        ArticleInstruction.Of("中国水墨画：流动的诗意与东方美学", "", ["水墨画起源于唐代。\n", " 留白。"]));

    [Fact]
    public void English_instruction_uses_the_wording_of_the_paper_or_of_the_model()
    {
        Assert.Equal("Please write a blog based on the title: French Pastries", ArticleInstruction.Of(" French Pastries ", "", []));
        Assert.Equal("Write a short article about tea.", ArticleInstruction.Of("tea", "", [], "Write a short article about {title}."));
    }

    [Fact]
    public void Outline_stands_between_title_and_material()
    {
        Assert.Equal("Please write a blog based on the title: the park. Outline: a red circle; a blue square.", ArticleInstruction.Of("the park", "a red circle\n\n a blue square.\n", []));
        Assert.Equal("Write a short article about tea. Use this material: Tea is old.", ArticleInstruction.Of("tea", "", ["Tea is old."], "Write a short article about {title}."));
        Assert.Equal("根据以下标题：“茶”，创作长文章，字数不少于800字。文章大纲：历史；种类。", ArticleInstruction.Of("茶", "历史\n种类", []));
    }

    [Fact]
    public void Complete_prompt_has_one_BOS_turn_marks_and_the_answer_prefix()
    {
        TextTokenizer tokenizer = TextTokenizer.Load(TestPaths.Repository("tools/demo/checkpoint"), 1280);
        Article article = CompositionPictures.Article("Welcome.", "A red circle.", "A star.").WithFigure(1, CompositionPictures.Shown(5));
        CompositionPrompt prompt = CompositionPrompts.Choose(article.Sections, 2, [CompositionPictures.Own(0), CompositionPictures.Own(1)]);

        IReadOnlyList<PromptPiece> pieces = new ChatTemplate(tokenizer, PromptStyle.Train).Render(null, [new ChatTurn(prompt.Text, prompt.Pictures.Count, null)], prompt.AnswerPrefix);

        // The worked example of the published pipeline, with its marks.
        string[] parts =
        [
            "[UNUSED_TOKEN_146]user\n根据给定上下文和候选图像，选择合适的配图：Welcome.\nA red circle.\n", "A star.\n候选图像包括: A.", "\nB.",
            "[UNUSED_TOKEN_145]\n[UNUSED_TOKEN_146]assistant\n最合适的图是",
        ];
        Assert.Equal([false, true, false, true, false, true, false], pieces.Select(piece => piece.IsImage));
        Assert.Equal([tokenizer.BosId, .. tokenizer.Encode(parts[0])], pieces[0].Ids);
        for (int part = 1; part < parts.Length; part++)
            Assert.Equal(tokenizer.Encode(parts[part]), pieces[2 * part].Ids);
    }
}
