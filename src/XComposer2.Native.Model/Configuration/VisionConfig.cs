namespace XComposer2.Native.Model;

/// <summary>Sizes and constants of the picture encoder, a CLIP vision transformer.</summary>
public sealed record VisionConfig
{
    public required int Width { get; init; }

    public required int IntermediateSize { get; init; }

    public required int LayerCount { get; init; }

    public required int HeadCount { get; init; }

    /// <summary>Pixels of a patch's side.</summary>
    public required int PatchSize { get; init; }

    /// <summary>Side of the stored position table in patches; resized where the pictures have another.</summary>
    public required int StoredGrid { get; init; }

    /// <summary>Of LayerNorm.</summary>
    public float NormEpsilon { get; init; } = 1e-5f;

    public int HeadSize => Width / HeadCount;
}
