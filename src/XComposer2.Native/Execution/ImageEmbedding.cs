using XComposer2.Native.Model;

namespace XComposer2.Native;

/// <summary>What the decoder sees of one picture. Immutable.</summary>
/// <param name="Hash">Of the picture's pixels.</param>
/// <param name="TokenCount">Positions that the picture takes.</param>
/// <param name="Rows">[TokenCount, hidden].</param>
internal sealed record ImageEmbedding(ImageContentHash Hash, int TokenCount, float[] Rows);
