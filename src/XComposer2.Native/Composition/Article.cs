namespace XComposer2.Native.Composition;

/// <summary>
/// An illustrated article. Immutable: a change makes another one. All its texts come from a model, a user or a file: whoever shows them
/// escapes them.
/// </summary>
public sealed record Article
{
    /// <summary>What was asked for.</summary>
    public required string Instruction { get; init; }

    /// <summary>Name of the article for a page or a file; empty where none was given.</summary>
    public string Title { get; init; } = "";

    /// <summary>What wrote it, in words; empty where that is not known.</summary>
    public string Model { get; init; } = "";

    /// <summary>The seed of its first step.</summary>
    public ulong Seed { get; init; }

    /// <summary>The user's own pictures, in the user's order: the text was written from them and they alone illustrate it. Empty where figures are searched for.</summary>
    public IReadOnlyList<ArticlePicture> OwnPictures { get; init; } = [];

    /// <summary>Paragraphs and headings, in order.</summary>
    public IReadOnlyList<ArticleSection> Sections { get; init; } = [];

    /// <summary>What did not go as hoped, in the order in which it happened.</summary>
    public IReadOnlyList<ArticleNote> Notes { get; init; } = [];

    /// <summary>The same article with another section in the place of one.</summary>
    /// <exception cref="ArgumentOutOfRangeException">There is no such section.</exception>
    public Article WithSection(int index, ArticleSection section)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(index);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(index, Sections.Count);
        return this with { Sections = [.. Sections.Take(index), section, .. Sections.Skip(index + 1)] };
    }

    /// <summary>The same article with one note more.</summary>
    public Article WithNote(CompositionStep step, NoteCause cause, string text) => this with { Notes = [.. Notes, new ArticleNote(step, cause, text)] };
}
