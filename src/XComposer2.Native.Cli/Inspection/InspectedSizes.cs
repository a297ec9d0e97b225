namespace XComposer2.Native.Cli;

/// <summary>Sizes of a model.</summary>
internal sealed record InspectedSizes(
    int Vocabulary, int Hidden, int Layers, int Heads, int KvHeads, int HeadSize, int Intermediate,
    IReadOnlyList<int> PloraRanks, int VisionLayers, int VisionWidth, int VisionHeads, int PatchSize, int ImageSize, int TokensPerImage, int ContextLength);
