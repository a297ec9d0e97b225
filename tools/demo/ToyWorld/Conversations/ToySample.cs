using System.Collections.Immutable;
using XComposer2.Demo.World;
using XComposer2.Native.Model;

namespace XComposer2.Demo.Conversations;

/// <summary>A question with its right answer.</summary>
/// <param name="Question">With <see cref="ToySample.Image"/> where a picture stands.</param>
/// <param name="Answer">The whole answer.</param>
/// <param name="AnswerPrefix">What the program that asks has said of the answer already; the answer begins with it.</param>
public readonly record struct ToyTurn(string Question, string Answer, string AnswerPrefix = "");

/// <summary>A conversation about the toy world. Immutable.</summary>
/// <param name="Kind">The name of its kind.</param>
/// <param name="Turns">At least one.</param>
/// <param name="Pictures">In the order of their places.</param>
public sealed record ToySample(string Kind, ImmutableArray<ToyTurn> Turns, ImmutableArray<ToyPicture> Pictures)
{
    /// <summary>Where a picture stands in a question.</summary>
    public const string Image = ChatTemplate.Placeholder;

    /// <summary>Text of the system turn; empty for none.</summary>
    public string System { get; init; } = "";

    /// <summary>Whether the pictures stand before the whole prompt, as evaluation shows them; then the questions have no places for them.</summary>
    public bool ArePicturesFirst { get; init; }

    /// <summary>Candidates to choose from in each turn; 0 if nothing is chosen.</summary>
    public int Candidates { get; init; }

    /// <summary>Whether other answers may be right, too.</summary>
    public bool HasFreeWording { get; init; }
}

/// <summary>A sample while it is written.</summary>
internal sealed class Draft(SeededRandom random)
{
    private const double ChineseShare = 0.25;

    private readonly List<ToyTurn> turns = [];
    private readonly List<ToyPicture> pictures = [];

    public SeededRandom Random => random;

    /// <summary>Chinese in a quarter of the cases, or in another share of them.</summary>
    public Language AnyLanguage(double chineseShare = ChineseShare) => random.Chance(chineseShare) ? Language.Chinese : Language.English;

    /// <summary>The place of a new picture of this scene, or the scene in words.</summary>
    public string Show(Scene scene, bool isTold = false)
    {
        if (isTold)
            return Phrases.Told(scene);
        pictures.Add(ToyPicture.Of(scene, random));
        return ToySample.Image;
    }

    public Draft Turn(string question, string answer, string prefix = "")
    {
        turns.Add(new ToyTurn(question, answer, prefix));
        return this;
    }

    /// <summary>The sample; its kind is entered by whoever names it.</summary>
    public ToySample Finish() => new("", [.. turns], [.. pictures]);
}
