using XComposer2.Native.Composition;
using XComposer2.Native.Composition.Pictures;
using Xunit;

namespace XComposer2.Native.UnitTests;

/// <summary>Edits of sections and figures, and their history.</summary>
public sealed class ArticleEditingTests
{
    private static readonly Article Before = CompositionPictures.Article("one", "two", "three").WithFigure(1, CompositionPictures.Shown(0, 1, 2));

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private static async Task<Article> EditAsync(string answer, int section, SectionEdit edit, string instruction = "outline")
    {
        using ArticleComposer composer = new(new ScriptedCompositionModel(_ => answer), null);
        return await composer.EditAsync(Before, section, edit, instruction, 1, Cancellation).ToArticleAsync(Cancellation);
    }

    [Theory]
    [InlineData(SectionEdit.Rewrite, new[] { "one", "new text", "three" }, 1)]
    [InlineData(SectionEdit.Expand, new[] { "one", "new text", "three" }, 1)]
    [InlineData(SectionEdit.Abbreviate, new[] { "one", "new text", "three" }, 1)]
    [InlineData(SectionEdit.InsertBefore, new[] { "one", "new text", "two", "three" }, 2)]
    [InlineData(SectionEdit.InsertAfter, new[] { "one", "two", "new text", "three" }, 1)]
    public async Task Edit_changes_one_section_and_keeps_its_figure(SectionEdit edit, string[] sections, int figure)
    {
        Article after = await EditAsync(" new\ntext\n", 1, edit);
        Assert.Equal(sections, after.Sections.Select(section => section.Text));
        Assert.Equal([figure], after.FigurePlaces());
        Assert.Equal("0.png", after.Sections[figure].Figure!.Picture!.Name);
    }

    [Theory]
    [InlineData(SectionEdit.InsertBefore)]
    [InlineData(SectionEdit.InsertAfter)]
    public async Task Insertion_requires_an_outline(SectionEdit edit) =>
        Assert.Equal("an insertion needs an outline: the instruction is empty", (await Assert.ThrowsAsync<EngineException>(() => EditAsync("x", 1, edit, " "))).Message);

    [Fact]
    public async Task Empty_edit_is_an_error()
    {
        Assert.Equal("the model returned no text; the article is unchanged, another seed may help", (await Assert.ThrowsAsync<EngineException>(() => EditAsync(" \n", 1, SectionEdit.Rewrite))).Message);
        Assert.Equal("section: expected 1 to 3, found 4", (await Assert.ThrowsAsync<EngineException>(() => EditAsync("x", 3, SectionEdit.Rewrite))).Message);
        Assert.Equal("section: expected 1 to 3, found 0", (await Assert.ThrowsAsync<EngineException>(() => EditAsync("x", -1, SectionEdit.Rewrite))).Message);
    }

    [Fact]
    public async Task Cancelled_edit_reports_no_article()
    {
        using CancellationTokenSource source = new();
        using ArticleComposer composer = new(new ScriptedCompositionModel(_ => "long text") { OnPiece = piece => { if (piece == 2) source.Cancel(); } }, null);
        List<CompositionEvent> events = [];
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
        {
            await foreach (CompositionEvent next in composer.EditAsync(Before, 1, SectionEdit.Rewrite, "", 1, source.Token))
                events.Add(next);
        });
        Assert.Equal(2, events.Count);
        Assert.DoesNotContain(events, next => next is ArticleChanged);
    }

    [Fact]
    public void Empty_text_removes_the_section()
    {
        Assert.Equal(["one", "three"], Before.WithText(1, " \n").Sections.Select(section => section.Text));
        Assert.Equal(["one", "a b", "three"], Before.WithText(1, "a\nb").Sections.Select(section => section.Text));
    }

    [Fact]
    public void Figures_are_replaced_chosen_and_removed()
    {
        ArticleFigure figure = Before.Sections[1].Figure!;
        Assert.Equal("2.png", Before.WithFigure(1, figure with { ChosenIndex = 2 }).Sections[1].Figure!.Picture!.Name);
        Assert.Equal("own-3.png", Before.WithFigure(0, new ArticleFigure { Candidates = [CompositionPictures.Own(3)], ChosenIndex = 0 }).Sections[0].Figure!.Picture!.Name);
        Assert.Null(Before.WithoutFigure(1).Sections[1].Figure);
        Assert.Equal("candidate: expected 1 to 3, found 4", Assert.Throws<EngineException>(() => Before.WithFigure(1, figure with { ChosenIndex = 3 })).Message);
    }

    [Fact]
    public async Task Repeated_choice_uses_the_same_candidates()
    {
        ScriptedCompositionModel model = ScriptedCompositionModel.Of("", "", choice: "C");
        using ArticleComposer composer = new(model, null);
        Article after = await composer.ChooseAsync(Before, 1, 5, Cancellation).ToArticleAsync(Cancellation);
        Assert.Equal("2.png", after.Sections[1].Figure!.Picture!.Name);
        Assert.Equal(3, model.Asked[0].Prompt.Pictures.Count);
        await Assert.ThrowsAsync<EngineException>(() => composer.ChooseAsync(Before, 0, 5, Cancellation).ToArticleAsync(Cancellation));
    }

    [Fact]
    public async Task Figure_is_searched_by_the_given_caption()
    {
        ScriptedCompositionModel model = ScriptedCompositionModel.Of("", "", choice: "B");
        using ArticleComposer composer = new(model, null);
        ShelfSource shelf = new([.. Enumerable.Range(0, 6).Select(index => CompositionPictures.Found(index))]);
        Article after = await composer.FindAsync(Before, 0, "a star", new PictureSource("shelf", shelf), 5, Cancellation).ToArticleAsync(Cancellation);
        Assert.Equal(("a star", "2.png"), (after.Sections[0].Figure!.Caption, after.Sections[0].Figure!.Picture!.Name));
        Assert.Equal(["id-0"], shelf.Queries[0].ExcludedIds);

        await composer.FindAsync(Before, 2, "", new PictureSource("shelf", shelf), 5, Cancellation).ToArticleAsync(Cancellation);
        Assert.Equal("three", shelf.Queries[1].Text);
        EngineException none = await Assert.ThrowsAsync<EngineException>(() => composer.FindAsync(Before, 0, "a star", new PictureSource("shelf", new ShelfSource()), 5, Cancellation).ToArticleAsync(Cancellation));
        Assert.Equal("figure after section 1: shelf has no picture for \"a star\"", none.Message);
    }

    [Fact]
    public void Undo_and_redo_restore_states()
    {
        ArticleHistory history = ArticleHistory.Begin(Before).Apply("first", Before.WithText(0, "1")).Apply("second", Before.WithText(0, "2"));
        Assert.Equal("2", history.Current.Sections[0].Text);
        Assert.Equal("1", history.Undo().Current.Sections[0].Text);
        Assert.Equal("one", history.Undo().Undo().Current.Sections[0].Text);
        Assert.Equal("2", history.Undo().Undo().Redo().Redo().Current.Sections[0].Text);
        Assert.Equal("there is no change to undo", Assert.Throws<EngineException>(() => history.Undo().Undo().Undo()).Message);
        Assert.Equal("there is no change to redo", Assert.Throws<EngineException>(history.Redo).Message);

        ArticleHistory branched = history.Undo().Apply("third", Before.WithText(0, "3"));
        Assert.Equal(["compose", "first", "third"], branched.States.Select(state => state.Change));
        Assert.Throws<EngineException>(branched.Redo);
    }

    [Fact]
    public void Oldest_states_are_dropped()
    {
        ArticleHistory history = ArticleHistory.Begin(Before);
        for (int i = 1; i <= 150; i++)
            history = history.Apply($"change {i}", Before.WithText(0, $"{i}"));
        Assert.Equal((ArticleHistory.MaximumStates, "change 51", "150"), (history.States.Count, history.States[0].Change, history.Current.Sections[0].Text));
    }
}
