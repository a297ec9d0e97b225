namespace XComposer2.Native.Model;

/// <summary>What the samples of a PNG pixel mean, by the number in its header.</summary>
internal enum PngColorType
{
    Gray = 0,
    Rgb = 2,
    Palette = 3,
    GrayAlpha = 4,
    RgbAlpha = 6,
}
