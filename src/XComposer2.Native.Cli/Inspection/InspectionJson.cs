using XComposer2.Native.Graph;

namespace XComposer2.Native.Cli;

/// <summary>Output of <c>xc2 inspect --json</c>. Names are a stable interface for scripts; sizes are in bytes.</summary>
internal sealed record InspectionJson
{
    public required string Directory { get; init; }

    public required string Variant { get; init; }

    public required string Layout { get; init; }

    public required InspectedSizes Sizes { get; init; }

    /// <summary>Number of pieces in tokenizer.model; null if it is missing, damaged or too large.</summary>
    public required int? TokenizerPieces { get; init; }

    /// <summary>Memory of tensors that are not used where they lie in the files: dequantised from GPTQ, or copied.</summary>
    public required long ConvertedBytes { get; init; }

    public required IReadOnlyList<InspectedKind> Tensors { get; init; }

    public required IReadOnlyList<InspectedTensor> Missing { get; init; }

    public required IReadOnlyList<InspectedTensor> Unknown { get; init; }

    public required IReadOnlyList<InspectedTensor> Ignored { get; init; }

    public required IReadOnlyList<InspectedMismatch> WrongShape { get; init; }

    public required IReadOnlyList<InspectedTensor> DecoderBiases { get; init; }

    /// <summary>Tensors of a LoRA fine-tuning that is not merged, and so not applied.</summary>
    public required IReadOnlyList<InspectedTensor> UnmergedLora { get; init; }

    /// <summary>Whether all weights are finite; null if they were not checked.</summary>
    public bool? ValuesAreFinite { get; init; }

    /// <summary>Reasons why the checkpoint is unusable; empty if it is usable.</summary>
    public required IReadOnlyList<string> Problems { get; init; }

    public bool Usable => Problems.Count == 0;
}

/// <summary>Sizes of a model.</summary>
internal sealed record InspectedSizes(
    int Vocabulary, int Hidden, int Layers, int Heads, int KvHeads, int HeadSize, int Intermediate,
    IReadOnlyList<int> PloraRanks, int VisionLayers, int VisionWidth, int VisionHeads, int PatchSize, int ImageSize, int TokensPerImage, int ContextLength);

/// <summary>The tensors of one part of a model.</summary>
/// <param name="Kind">Name of the part.</param>
/// <param name="Count">Number of tensors.</param>
/// <param name="Types">Element types as named in the files.</param>
/// <param name="Elements">Total number of elements.</param>
/// <param name="Bytes">Total size in the files.</param>
internal sealed record InspectedKind(string Kind, int Count, IReadOnlyList<string> Types, long Elements, long Bytes);

/// <summary>Name and shape of a tensor.</summary>
internal sealed record InspectedTensor(string Name, IReadOnlyList<int> Shape)
{
    public static InspectedTensor Of(string name, Shape shape) => new(name, shape.AsSpan().ToArray());

    public override string ToString() => $"{Name} [{string.Join(", ", Shape)}]";
}

/// <summary>A tensor with an unexpected shape or type.</summary>
internal sealed record InspectedMismatch(string Name, string File, IReadOnlyList<int> Expected, IReadOnlyList<int> Found, string FoundType)
{
    public override string ToString() => $"{Name}: expected [{string.Join(", ", Expected)}], found {FoundType} [{string.Join(", ", Found)}]";
}
