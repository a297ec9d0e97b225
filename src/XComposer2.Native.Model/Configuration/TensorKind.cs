namespace XComposer2.Native.Model;

public enum TensorKind : byte
{
    Embedding,
    Norm,
    Attention,
    FeedForward,
    PartialLora,
    Vision,
    Projector,
    Head,

    /// <summary>Of no part of this model.</summary>
    Unknown,
}
