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

    /// <summary>Whether every weight was read and found finite; null where that was not asked for.</summary>
    public bool? ValuesAreFinite { get; init; }

    /// <summary>Why it can't be used; empty where it can.</summary>
    public required IReadOnlyList<string> Problems { get; init; }

    public bool Usable => Problems.Count == 0;
}
