using System.Collections.Immutable;
using XComposer2.Native.Model;

namespace XComposer2.Native.Training;

/// <summary>A conversation to learn from.</summary>
/// <param name="Id">For messages.</param>
/// <param name="Turns">At least one; none of a faulty sample.</param>
/// <param name="Pictures">Paths, in the order of their places in the text.</param>
public sealed record TrainingSample(string Id, ImmutableArray<TrainingTurn> Turns, ImmutableArray<string> Pictures)
{
    /// <summary>Why it cannot be learnt from, as its file has it: names the file and the sample. Null where it can be tried.</summary>
    public string? Fault { get; init; }
}

/// <summary>What one side says.</summary>
/// <param name="IsQuestion">Of the user; otherwise it is learnt.</param>
/// <param name="Text">With <c>&lt;ImageHere&gt;</c> where a picture stands.</param>
public readonly record struct TrainingTurn(bool IsQuestion, string Text);

/// <summary>A file or a sample that cannot be learnt from: the message names the file, the sample, what was expected and what was found.</summary>
public sealed class TrainingDataException : XComposerException
{
    public TrainingDataException(string message, Exception? inner = null)
        : base(message, inner)
    {
    }
}
