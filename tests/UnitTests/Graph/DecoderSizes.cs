using XComposer2.Native.Graph;

namespace XComposer2.Native.UnitTests;

/// <summary>Sizes of a decoder for graphs in tests.</summary>
public sealed record DecoderSizes(int Vocabulary, int Hidden, int Intermediate, int Layers, AttentionGeometry Attention, int Rank)
{
    public static DecoderSizes Tiny => new(96, 32, 80, 2, new AttentionGeometry(4, 2, 8), 4);

    public static DecoderSizes Published7B => new(92544, 4096, 14336, 32, new AttentionGeometry(32, 8, 128), 256);

    public static DecoderSizes Published1B8 => new(92544, 2048, 8192, 24, new AttentionGeometry(16, 8, 128), 256);
}
