namespace XComposer2.Native.UnitTests;

/// <summary>Sizes of a vision tower and projector for graphs in tests.</summary>
public sealed record VisionSizes(int Image, int Patch, int Width, int Intermediate, int Layers, int Heads, int Projected)
{
    public static VisionSizes Tiny => new(28, 14, 24, 56, 2, 3, 32);

    public static VisionSizes Published490(int projected) => new(490, 14, 1024, 4096, 24, 16, projected);

    public static VisionSizes Published224(int projected) => new(224, 14, 1024, 4096, 24, 16, projected);
}
