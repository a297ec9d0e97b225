namespace XComposer2.Native.Composition;

/// <summary>A change of an article: what <c>xc2 edit</c> and the server's clients ask for. Without the model <see cref="Apply"/> makes it, with the model
/// <see cref="ArticleComposer.ApplyAsync"/>.</summary>
public sealed record ArticleEdit
{
    /// <summary>Kind of change.</summary>
    public required ArticleOperation Operation { get; init; }

    /// <summary>Number of the section, from 1; null where the operation has none.</summary>
    public int? Section { get; init; }

    /// <summary>Material, outline or Markdown.</summary>
    public string? Instruction { get; init; }

    /// <summary>What a picture is to show.</summary>
    public string? Caption { get; init; }

    /// <summary>What a picture shows, for readers who cannot see it.</summary>
    public string? AlternativeText { get; init; }

    /// <summary>Of the article; empty for none.</summary>
    public string? Title { get; init; }

    /// <summary>New number of a moved section, from 1.</summary>
    public int? Target { get; init; }

    /// <summary>A picture of the user.</summary>
    public ArticlePicture? Picture { get; init; }

    /// <summary>Number of a candidate, from 1; null lets the model choose.</summary>
    public int? Candidate { get; init; }

    /// <summary>As in <see cref="ArticleRequest.Figures"/>.</summary>
    public int? Figures { get; init; }

    /// <summary>Names of the operations, for users.</summary>
    public static IReadOnlyList<(string Word, ArticleOperation Value)> Words { get; } =
    [
        ("rewrite", ArticleOperation.Rewrite), ("expand", ArticleOperation.Expand), ("abbreviate", ArticleOperation.Abbreviate),
        ("insert-before", ArticleOperation.InsertBefore), ("insert-after", ArticleOperation.InsertAfter), ("set-text", ArticleOperation.SetText),
        ("remove-section", ArticleOperation.RemoveSection), ("move-section", ArticleOperation.MoveSection), ("set-title", ArticleOperation.SetTitle), ("set-caption", ArticleOperation.SetCaption),
        ("illustrate", ArticleOperation.Illustrate), ("find-figure", ArticleOperation.FindFigure), ("choose-figure", ArticleOperation.ChooseFigure),
        ("replace-figure", ArticleOperation.ReplaceFigure), ("remove-figure", ArticleOperation.RemoveFigure), ("undo", ArticleOperation.Undo), ("redo", ArticleOperation.Redo),
    ];

    /// <summary>Description for the history, for example "rewrite 2".</summary>
    public string Change => Section is { } section ? $"{NameOf(Operation)} {section}" : NameOf(Operation);

    /// <summary>Whether the model takes part.</summary>
    public bool NeedsModel => Operation switch
    {
        ArticleOperation.ChooseFigure => Candidate is null,
        ArticleOperation.SetCaption => Caption is null && AlternativeText is null,
        ArticleOperation.Illustrate or ArticleOperation.FindFigure => true,
        _ => SectionEditOf(Operation) is not null,
    };

    /// <summary>The word of an operation.</summary>
    public static string NameOf(ArticleOperation operation) => Words.First(word => word.Value == operation).Word;

    /// <summary>The operation of a word; null if there is none.</summary>
    public static ArticleOperation? Find(string word)
    {
        foreach ((string known, ArticleOperation value) in Words)
            if (known == word)
                return value;
        return null;
    }

    /// <summary>What an operation takes, and what it cannot do without.</summary>
    public static (EditOperands Taken, EditOperands Required) OperandsOf(ArticleOperation operation) => operation switch
    {
        ArticleOperation.Rewrite or ArticleOperation.Expand => (EditOperands.Section | EditOperands.Instruction, EditOperands.Section),
        ArticleOperation.Abbreviate or ArticleOperation.RemoveSection or ArticleOperation.RemoveFigure => Exactly(EditOperands.Section),
        ArticleOperation.InsertBefore or ArticleOperation.InsertAfter or ArticleOperation.SetText => Exactly(EditOperands.Section | EditOperands.Instruction),
        ArticleOperation.MoveSection => Exactly(EditOperands.Section | EditOperands.Target),
        ArticleOperation.SetTitle => Exactly(EditOperands.Title),
        ArticleOperation.SetCaption => (EditOperands.Section | EditOperands.Caption | EditOperands.AlternativeText, EditOperands.Section),
        ArticleOperation.Illustrate => (EditOperands.Figures | EditOperands.Source, EditOperands.None),
        ArticleOperation.FindFigure => (EditOperands.Section | EditOperands.Caption | EditOperands.Source, EditOperands.Section | EditOperands.Source),
        ArticleOperation.ChooseFigure => (EditOperands.Section | EditOperands.Candidate, EditOperands.Section),
        ArticleOperation.ReplaceFigure => (EditOperands.Section | EditOperands.Picture | EditOperands.Caption | EditOperands.AlternativeText, EditOperands.Section | EditOperands.Picture),
        _ => (EditOperands.None, EditOperands.None),
    };

    /// <summary>Checks that the article has what the change names, before a model is asked.</summary>
    /// <exception cref="EngineException">The article lacks the section or the figure.</exception>
    public void Require(Article article)
    {
        ArgumentNullException.ThrowIfNull(article);
        if (Section is { } section)
            _ = article.RequireSection(section - 1);
        EngineException.ThrowUnless(Target is null || (Target >= 1 && Target <= article.Sections.Count), "new place", $"1 to {article.Sections.Count}", Target);
        if (Operation is ArticleOperation.ChooseFigure or ArticleOperation.SetCaption)
            _ = article.RequireFigure(Section!.Value - 1);
    }

    /// <summary>Makes a change that needs no model.</summary>
    /// <param name="history">The article; undo and redo need its history.</param>
    /// <exception cref="EngineException">The article lacks the section, figure, candidate or change.</exception>
    /// <exception cref="InvalidOperationException">The change needs the model.</exception>
    public ArticleHistory Apply(ArticleHistory history)
    {
        ArgumentNullException.ThrowIfNull(history);
        return Operation switch
        {
            ArticleOperation.Undo => history.Undo(),
            ArticleOperation.Redo => history.Redo(),
            _ => history.Apply(Change, ApplyTo(history.Current)),
        };
    }

    /// <summary>The edit of a section that the model makes; null for other operations.</summary>
    internal static SectionEdit? SectionEditOf(ArticleOperation operation) => operation switch
    {
        ArticleOperation.Rewrite => SectionEdit.Rewrite,
        ArticleOperation.Expand => SectionEdit.Expand,
        ArticleOperation.Abbreviate => SectionEdit.Abbreviate,
        ArticleOperation.InsertBefore => SectionEdit.InsertBefore,
        ArticleOperation.InsertAfter => SectionEdit.InsertAfter,
        _ => null,
    };

    private static (EditOperands, EditOperands) Exactly(EditOperands operands) => (operands, operands);

    private Article ApplyTo(Article article)
    {
        if (NeedsModel)
            throw new InvalidOperationException($"{NameOf(Operation)} needs the model");
        if (Operation == ArticleOperation.SetTitle)
            return article.WithTitle(Title!);
        int index = Section!.Value - 1;
        return Operation switch
        {
            ArticleOperation.SetText => article.WithMarkdown(index, Instruction!),
            ArticleOperation.RemoveSection => article.WithText(index, ""),
            ArticleOperation.MoveSection => article.WithMoved(index, Target!.Value - 1),
            ArticleOperation.SetCaption => article.WithCaption(index, Caption, AlternativeText),
            ArticleOperation.RemoveFigure => article.WithoutFigure(index),
            ArticleOperation.ReplaceFigure => article.WithFigure(index, new ArticleFigure
            {
                Caption = Caption ?? article.RequireSection(index).Figure?.Caption ?? "", AlternativeText = AlternativeText ?? "", Candidates = [Picture!], ChosenIndex = 0,
            }),
            ArticleOperation.ChooseFigure => article.WithChosen(index, Candidate!.Value - 1),
            _ => throw new InvalidOperationException($"{NameOf(Operation)} changes the history, not the article"),
        };
    }
}

/// <summary>Kinds of changes.</summary>
public enum ArticleOperation
{
    /// <summary>Rewrites a section with material; by the model.</summary>
    Rewrite,

    /// <summary>Expands a section with material; by the model.</summary>
    Expand,

    /// <summary>Shortens a section; by the model.</summary>
    Abbreviate,

    /// <summary>Inserts a section before one, from an outline; by the model.</summary>
    InsertBefore,

    /// <summary>Inserts a section after one, from an outline; by the model.</summary>
    InsertAfter,

    /// <summary>Replaces a section by Markdown.</summary>
    SetText,

    /// <summary>Removes a section with its figure.</summary>
    RemoveSection,

    /// <summary>Moves a section with its figure.</summary>
    MoveSection,

    /// <summary>Sets the title.</summary>
    SetTitle,

    /// <summary>Sets caption and alternative text; without both, the model writes them.</summary>
    SetCaption,

    /// <summary>Finds places, captions and pictures of all figures anew; by the model.</summary>
    Illustrate,

    /// <summary>Searches a picture for one figure; by the model.</summary>
    FindFigure,

    /// <summary>Chooses a candidate; without its number, the model chooses.</summary>
    ChooseFigure,

    /// <summary>Replaces the picture by one of the user.</summary>
    ReplaceFigure,

    /// <summary>Removes the figure of a section.</summary>
    RemoveFigure,

    /// <summary>Takes the last change back.</summary>
    Undo,

    /// <summary>Makes the change again that was undone last.</summary>
    Redo,
}

/// <summary>What a change may take.</summary>
[Flags]
public enum EditOperands
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary><see cref="ArticleEdit.Section"/>.</summary>
    Section = 1,

    /// <summary><see cref="ArticleEdit.Instruction"/>.</summary>
    Instruction = 2,

    /// <summary><see cref="ArticleEdit.Caption"/>.</summary>
    Caption = 4,

    /// <summary><see cref="ArticleEdit.AlternativeText"/>.</summary>
    AlternativeText = 8,

    /// <summary><see cref="ArticleEdit.Title"/>.</summary>
    Title = 16,

    /// <summary><see cref="ArticleEdit.Target"/>.</summary>
    Target = 32,

    /// <summary><see cref="ArticleEdit.Picture"/>.</summary>
    Picture = 64,

    /// <summary><see cref="ArticleEdit.Candidate"/>.</summary>
    Candidate = 128,

    /// <summary><see cref="ArticleEdit.Figures"/>.</summary>
    Figures = 256,

    /// <summary>A picture source.</summary>
    Source = 512,
}
