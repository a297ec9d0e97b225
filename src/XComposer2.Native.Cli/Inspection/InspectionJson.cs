using XComposer2.Native.Graph;

namespace XComposer2.Native.Cli;

/// <summary>The object that <c>xc2 inspect --json</c> prints. Names are a promise to scripts; sizes are bytes.</summary>
internal sealed record InspectionJson
{
    public required string Directory { get; init; }

    public required string Variant { get; init; }

    public required string Layout { get; init; }

    public required InspectedSizes Sizes { get; init; }

    /// <summary>Pieces of tokenizer.model; null where it is missing, damaged or too large.</summary>
    public required int? TokenizerPieces { get; init; }

    public required IReadOnlyList<InspectedKind> Tensors { get; init; }

    public required IReadOnlyList<InspectedTensor> Missing { get; init; }

    public required IReadOnlyList<InspectedTensor> Unknown { get; init; }

    public required IReadOnlyList<InspectedTensor> Ignored { get; init; }

    public required IReadOnlyList<InspectedMismatch> WrongShape { get; init; }

    public required IReadOnlyList<InspectedTensor> DecoderBiases { get; init; }

    /// <summary>Tensors of a fine-tuning that lies beside the weights and is not applied.</summary>
    public required IReadOnlyList<InspectedTensor> UnmergedLora { get; init; }

    /// <summary>Whether every weight was read and found finite; null where that was not asked for.</summary>
    public bool? ValuesAreFinite { get; init; }

    /// <summary>Why it can't be used; empty where it can.</summary>
    public required IReadOnlyList<string> Problems { get; init; }

    public bool Usable => Problems.Count == 0;
}

/// <summary>Sizes of a model.</summary>
internal sealed record InspectedSizes(
    int Vocabulary, int Hidden, int Layers, int Heads, int KvHeads, int HeadSize, int Intermediate,
    IReadOnlyList<int> PloraRanks, int VisionLayers, int VisionWidth, int VisionHeads, int PatchSize, int ImageSize, int TokensPerImage, int ContextLength);

/// <summary>The tensors of one part of the model.</summary>
/// <param name="Kind">Name of the part.</param>
/// <param name="Count">How many.</param>
/// <param name="Types">Element types as the files name them.</param>
/// <param name="Elements">Numbers in all of them.</param>
/// <param name="Bytes">In the files.</param>
internal sealed record InspectedKind(string Kind, int Count, IReadOnlyList<string> Types, long Elements, long Bytes);

/// <summary>A tensor by name.</summary>
internal sealed record InspectedTensor(string Name, IReadOnlyList<int> Shape)
{
    public static InspectedTensor Of(string name, Shape shape) => new(name, shape.AsSpan().ToArray());

    public override string ToString() => $"{Name} [{string.Join(", ", Shape)}]";
}

/// <summary>A tensor of another shape or type than the model needs.</summary>
internal sealed record InspectedMismatch(string Name, string File, IReadOnlyList<int> Expected, IReadOnlyList<int> Found, string FoundType)
{
    public override string ToString() => $"{Name} is {FoundType} [{string.Join(", ", Found)}], wanted is [{string.Join(", ", Expected)}]";
}
