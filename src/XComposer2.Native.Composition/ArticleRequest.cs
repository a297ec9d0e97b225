namespace XComposer2.Native.Composition;

/// <summary>What article is wanted.</summary>
public sealed record ArticleRequest
{
    /// <summary>Most pictures of a user's that one article takes.</summary>
    public const int MaximumOwnPictures = 10;

    /// <summary>Most figures that may be asked for.</summary>
    public const int MaximumFigures = 60;

    /// <summary>What the model is told to write; see <see cref="ArticleInstruction"/> for one from a title, an outline and material.</summary>
    public required string Instruction { get; init; }

    /// <summary>Name of the article for a page or a file; the model does not see it.</summary>
    public string Title { get; init; } = "";

    /// <summary>Pictures to write from; they alone illustrate the article, each at most once. At most <see cref="MaximumOwnPictures"/>.</summary>
    public IReadOnlyList<ArticlePicture> OwnPictures { get; init; } = [];

    /// <summary>How many figures at most; null leaves it to the model, or is the number of own pictures where there are any; 0 is a text alone.</summary>
    public int? Figures { get; init; }

    /// <summary>The same seed gives the same article on the same device; null draws one.</summary>
    public ulong? Seed { get; init; }

    /// <exception cref="EngineException">Something is out of range.</exception>
    internal void Require()
    {
        EngineException.ThrowUnless(!string.IsNullOrWhiteSpace(Instruction), "instruction", "what to write", "an empty text");
        EngineException.ThrowUnless(OwnPictures.Count <= MaximumOwnPictures, "own pictures", $"at most {MaximumOwnPictures}", OwnPictures.Count);
        EngineException.ThrowUnless(Figures is null or (>= 0 and <= MaximumFigures), "figures", $"0 to {MaximumFigures}", Figures);
    }
}
