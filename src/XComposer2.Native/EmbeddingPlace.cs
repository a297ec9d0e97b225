namespace XComposer2.Native;

/// <summary>Where a GPU finds the table of token embeddings, of which a step reads only its own tokens' rows.</summary>
public enum EmbeddingPlace
{
    /// <summary>In its own memory.</summary>
    Device,

    /// <summary>In page-locked memory of the host: 758 MB of a 7B's 16-bit weights less on the GPU, for some microseconds a token.</summary>
    Host,
}
